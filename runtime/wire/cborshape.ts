/**
 * Shapes: one description of a CBOR value that both writes and reads it, so that the two cannot
 * drift.
 *
 * Reading is strict: unknown members, wrong sizes and numbers out of range are Malformed. Writing a
 * value that could not be read back is a bug and throws a RangeError.
 *
 *   row      CBOR array in the written order     what is small, fixed and sent often
 *   record   CBOR map with text keys             what may grow a member later
 *   choice   a record whose member `kind` names which
 */
import { type Address, addressBytes, addressFrom } from './address.ts'
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from './cbor.ts'
import { must } from './malformed.ts'

export type Shape<T> = {
  readonly write: (value: T) => Cbor
  /** `what` names the place in the refusal. Throws Malformed. */
  readonly read: (value: Cbor | undefined, what: string) => T
}

export function encodeShape<T>(shape: Shape<T>, value: T): Uint8Array {
  return encodeCbor(shape.write(value))
}

/** The one value of that shape in these bytes. Throws Malformed. */
export function decodeShape<T>(shape: Shape<T>, bytes: Uint8Array, what: string): T {
  return shape.read(decodeCbor(bytes, what), what)
}

/** Exactly that many bytes. */
export function bytes(size: number): Shape<Uint8Array> {
  return plain((value) => value instanceof Uint8Array && value.length === size, `not ${size} bytes`)
}

export function bytesUpTo(max: number): Shape<Uint8Array> {
  return plain((v) => v instanceof Uint8Array && v.length <= max, `not at most ${max} bytes`)
}

/** A text that passes the test; let the test bound its length. */
export function text(isSuch: (text: string) => boolean): Shape<string> {
  return plain((value) => typeof value === 'string' && isSuch(value), 'not such a text')
}

export const truth: Shape<boolean> = plain((value) => typeof value === 'boolean', 'not a truth')

/** A whole number from 0 below 2^bits, bits at most 53. */
export function whole(bits: number): Shape<number> {
  const end = 2 ** bits
  return plain(
    (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < end,
    `not a whole number of ${bits} bits`,
  )
}

/** A whole number of 64 bits, always a bigint here, always a CBOR integer there. */
export const uint64: Shape<bigint> = {
  write(value) {
    if (value < 0n || value >= 1n << 64n) throw new RangeError('not a uint64')
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
  },
  read(value, what) {
    const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value)
    must(isWhole && (value as number | bigint) >= 0, `${what}: not a whole number of 64 bits`)
    return BigInt(value as number | bigint)
  },
}

/**
 * An amount of money below 2^bits: a byte string, big-endian, without leading zeros (zero is
 * empty), because tokens with 18 decimals outgrow CBOR's 64-bit integers.
 */
export function amount(bits: number): Shape<bigint> {
  return {
    write(value) {
      if (value < 0n || value >= 1n << BigInt(bits)) throw new RangeError(`not a uint${bits}`)
      const out: number[] = []
      for (let rest = value; rest > 0n; rest >>= 8n) out.unshift(Number(rest & 0xffn))
      return Uint8Array.from(out)
    },
    read(value, what) {
      must(value instanceof Uint8Array, `${what}: not an amount`)
      must(value.length * 8 <= bits, `${what}: an amount has at most ${bits} bits`)
      must(value[0] !== 0, `${what}: an amount has no leading zeros`)
      let total = 0n
      for (const byte of value) total = (total << 8n) | BigInt(byte)
      return total
    },
  }
}

export const address: Shape<Address> = {
  write: addressBytes,
  read(value, what) {
    must(value instanceof Uint8Array && value.length === 20, `${what}: not an address`)
    return addressFrom(value)
  },
}

export function list<T>(of: Shape<T>, max: number): Shape<readonly T[]> {
  return {
    write(values) {
      if (values.length > max) throw new RangeError(`a list of at most ${max}`)
      return values.map(of.write)
    },
    read(value, what) {
      must(Array.isArray(value) && value.length <= max, `${what}: not a list of at most ${max}`)
      return (value as readonly Cbor[]).map((item, i) => of.read(item, `${what}[${i}]`))
    },
  }
}

type Fields<T> = { readonly [K in keyof T]-?: Shape<Exclude<T[K], undefined>> }

/** An object as a CBOR array, its members in the order written here. */
export function row<T extends object>(fields: Fields<T>): Shape<T> {
  const members = Object.entries<Shape<unknown>>(fields as Record<string, Shape<unknown>>)
  return {
    write: (value) => members.map(([name, shape]) => shape.write(value[name as keyof T])),
    read(value, what) {
      const fits = Array.isArray(value) && value.length === members.length
      must(fits, `${what}: not a list of ${members.length}`)
      const items = value as readonly Cbor[]
      const read = members.map(([name, shape], i) => [
        name,
        shape.read(items[i], `${what}.${name}`),
      ])
      return Object.fromEntries(read) as T
    },
  }
}

/** An object as a CBOR map with text keys; the members named in `optional` may be absent. */
export function record<T extends object>(
  fields: Fields<T>,
  optional: readonly (keyof T & string)[] = [],
): Shape<T> {
  const members = Object.entries<Shape<unknown>>(fields as Record<string, Shape<unknown>>)
  const mayLack = new Set<string>(optional)
  return {
    write(value) {
      const map = new Map<string, Cbor>()
      for (const [name, shape] of members) {
        const member = value[name as keyof T]
        if (member === undefined && mayLack.has(name)) continue
        map.set(name, shape.write(member))
      }
      return map
    },
    read(value, what) {
      must(value instanceof Map, `${what}: not a map`)
      const known = [...(value as CborMap).keys()].every((key) => Object.hasOwn(fields, key))
      must(known, `${what}: a member that this version does not know`)
      const read: [string, unknown][] = []
      for (const [name, shape] of members) {
        const member = (value as CborMap).get(name)
        if (member === undefined && mayLack.has(name)) continue
        read.push([name, shape.read(member, `${what}.${name}`)])
      }
      return Object.fromEntries(read) as T
    },
  }
}

/** One of several records, told apart by the text in `kind`. */
export function choice<T extends { readonly kind: string }>(
  kinds: { readonly [K in T['kind']]: Shape<Omit<Extract<T, { kind: K }>, 'kind'>> },
): Shape<T> {
  const shapes = kinds as Readonly<Record<string, Shape<object>>>
  return {
    write(value) {
      const { kind, ...members } = value
      const map = (shapes[kind] as Shape<object>).write(members) as CborMap
      return new Map<number | string, Cbor>([['kind', kind], ...map])
    },
    read(value, what) {
      must(value instanceof Map, `${what}: not a map`)
      const members = new Map(value as CborMap)
      const kind = members.get('kind')
      members.delete('kind')
      const known = typeof kind === 'string' && Object.hasOwn(shapes, kind)
      must(known, `${what}: a kind that this version does not know`)
      return { kind, ...(shapes[kind] as Shape<object>).read(members, `${what} ${kind}`) } as T
    },
  }
}

function plain<T extends Cbor>(fits: (value: Cbor | undefined) => boolean, says: string): Shape<T> {
  return {
    write(value) {
      if (!fits(value)) throw new RangeError(says)
      return value
    },
    read(value, what) {
      must(fits(value), `${what}: ${says}`)
      return value as T
    },
  }
}
