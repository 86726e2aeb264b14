/**
 * The bits of a message, and how a few of them become a value.
 *
 * A payload is ASCII armour, six bits a letter: `0` to `W` are 0 to 39, a backquote to `w` are 40 to 63. A
 * column answers undefined where the message ends before it or says "not available", and `bad` where it says
 * what nobody can mean: then the whole message is a doubt.
 */
import type { Value } from '../../runtime/sense/driver.ts'

export const bad = Symbol('bad field')
export type Column = (bits: Bits) => Value | undefined | typeof bad
export type Columns = Readonly<Record<string, Column>>

export type Bits = {
  readonly size: number
  unsigned(at: number, count: number): number
  signed(at: number, count: number): number
}

/** Undefined for letters that no payload has. The last letter has `fill` bits too many. */
export function armoured(payload: string, fill: number): Bits | undefined {
  const sixes = Uint8Array.from(payload, (letter) => {
    const code = letter.charCodeAt(0) - 48
    return code > 40 ? code - 8 : code
  })
  if (!/^[0-W`-w]*$/.test(payload)) return undefined
  const unsigned = (at: number, count: number) => {
    let number = 0
    for (let bit = at; bit < at + count; bit += 1) {
      number = number * 2 + (((sixes[Math.floor(bit / 6)] ?? 0) >> (5 - (bit % 6))) & 1)
    }
    return number
  }
  return {
    size: Math.max(0, 6 * sixes.length - fill),
    unsigned,
    signed(at, count) {
      const number = unsigned(at, count)
      return number >= 2 ** (count - 1) ? number - 2 ** count : number
    },
  }
}

type Scale = {
  /** So many of the message's are one of ours; 1 when left out. */
  readonly per?: number
  /** What the smallest counts from, in ours. */
  readonly from?: number
  readonly signed?: true
  /** Not available, and so is what lies below `least` and above `most`: no number has a meaning there. */
  readonly none?: number
  readonly least?: number
  readonly most?: number
}

/** A number of so many bits. */
export function number(at: number, count: number, scale: Scale = {}): Column {
  const { per = 1, from = 0, none } = scale
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = scale
  return (bits) => {
    if (at + count > bits.size) return undefined
    const raw = scale.signed ? bits.signed(at, count) : bits.unsigned(at, count)
    return raw === none || raw < least || raw > most ? undefined : tidy(raw / per + from)
  }
}

/** Knots, `per` of the message's each, as metres a second. */
export function knots(at: number, count: number, scale: Scale = {}): Column {
  return number(at, count, { ...scale, per: ((scale.per ?? 1) * 3600) / 1852 })
}

export function truth(at: number): Column {
  return (bits) => (at < bits.size ? bits.unsigned(at, 1) === 1 : undefined)
}

/** A text in six-bit letters: ends at `@`, or where the message does; spaces behind it say nothing. */
export function words(at: number, count: number): Column {
  return (bits) => readWords(bits, at, count).replace(/@.*$/, '').trimEnd() || undefined
}

export function readWords(bits: Bits, at: number, count: number): string {
  const letters = Math.floor((Math.min(at + count, bits.size) - at) / 6)
  let text = ''
  for (let n = 0; n < letters; n += 1) {
    const six = bits.unsigned(at + 6 * n, 6)
    text += String.fromCharCode(six < 32 ? six + 64 : six)
  }
  return text
}

/** Longitude and then latitude, or the other way about, so many to the degree: both or none. */
export function place(
  lon: { readonly at: number; readonly count: number },
  lat: { readonly at: number; readonly count: number },
  per: number,
): Columns {
  const read = (bits: Bits) => {
    const east = bits.signed(lon.at, lon.count) / per
    const north = bits.signed(lat.at, lat.count) / per
    if (east === 181 || north === 91) return undefined
    return Math.abs(east) > 180 || Math.abs(north) > 90 ? bad : { east, north }
  }
  const part = (which: 'east' | 'north'): Column => {
    return (bits) => {
      const found = read(bits)
      return found === undefined || found === bad ? found : tidy(found[which])
    }
  }
  return { lat: part('north'), lon: part('east') }
}

/** Takes the noise out of the last binary digits. */
export function tidy(value: number): number {
  return Number(value.toFixed(9))
}
