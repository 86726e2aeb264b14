/**
 * XDR: a list of transducers, each with its type, its value, a unit letter and a name.
 *
 * A letter means what it means for its type. What nobody is known to mean has its number alone, without a
 * unit: so do generic transducers, and rain and hail of Vaisala's weather stations, which only the number
 * of the transducer tells apart. Sources: the table of types in NMEA 0183 as makers of instruments publish
 * it, and the "Transducer table" of Vaisala's WXT520 and WMT52 manuals.
 */
import type { Unit, Value } from '../../runtime/sense/driver.ts'
import { type Fields, field, tidy } from './cells.ts'
import { bad, real, row } from './columns.ts'
import type { More } from './sentence.ts'

/** What its value counts in; `from` is where its nought lies. */
type Meaning = { readonly unit?: Unit; readonly scale?: number; readonly from?: number }

/** Instruments leave out the name of the last one, or write a field or a letter too many behind it. */
export function transducers(fields: Fields, values: Record<string, Value>): More {
  const [odd, last] = [fields.length % 4, field(fields, fields.length - 1)]
  const whole = odd === 1 ? fields.length - 1 : fields.length
  if (odd === 2 || whole === 0 || (odd === 1 && !/^[A-Z]?$/.test(last))) return bad
  const units: Record<string, Unit> = {}
  for (let at = 0; at < whole; at += 4) {
    const [type, letter] = [field(fields, at), field(fields, at + 2)]
    const value = real(at + 1)(fields)
    if (value === undefined && /^[A-Z]?$/.test(type)) continue
    if (!/^[A-Z]$/.test(type)) return bad
    const label = field(fields, at + 3)
    // The supervisor of Vaisala's stations is a generic transducer, and says its name: `HEL/___`.
    if (type === 'G' && value === bad) {
      values[nameOf(type, label, at / 4, values)] = field(fields, at + 1)
      continue
    }
    const meant = meaning(type, letter, label)
    if (typeof value !== 'number' || meant === undefined) return bad
    const { unit, scale = 1, from = 0 } = meant
    const name = nameOf(type, label, at / 4, values)
    values[name] = tidy((value - from) * scale)
    if (unit !== undefined) units[name] = unit
  }
  return { units }
}

/**
 * By its name. One that is called by a number, or not at all, has its type before it: weather stations count
 * their thermometers, barometers and supplies each from 0. One with the name of another has its type behind.
 */
function nameOf(
  type: string,
  label: string,
  place: number,
  taken: Readonly<Record<string, Value>>,
): string {
  const plain = label
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .slice(0, 40)
    .toLowerCase()
  const letter = type.toLowerCase()
  const name = /^\d*$/.test(plain) ? `xdr_${letter}${plain || place}` : `xdr_${plain}`
  if (!Object.hasOwn(taken, name)) return name
  const typed = `${name}_${letter}`
  return Object.hasOwn(taken, typed) ? `${typed}${place}` : typed
}

/** Undefined where nobody can mean it. */
function meaning(type: string, letter: string, label: string): Meaning | undefined {
  // Vaisala's rain in millimetres, not a tank.
  if (type === 'V' && letter === 'M' && /^\d+$/.test(label)) return {}
  const told = row(byType, type + letter)
  if (told !== undefined) return told
  if (!/^([A-Z]?|[A-Za-z]{2,8})$/.test(letter)) return undefined
  return ofItsOwn.includes(type) ? {} : (row(byLetter, letter) ?? {})
}

const [volt, mercuryInch]: [Meaning, number] = [{ unit: 'V' }, 3386.389]

const byType: Readonly<Record<string, Meaning>> = {
  AR: { unit: 'rad' },
  CK: { unit: 'K' },
  CF: { unit: 'Cel', scale: 5 / 9, from: 32 },
  DM: { unit: 'm' },
  FH: { unit: 'Hz' },
  HP: { unit: '%RH' },
  LS: { unit: '/1000' },
  NN: { unit: 'N' },
  PP: { unit: 'Pa' },
  // As the weather stations of Vaisala write air pressure: hPa, inches and millimetres of mercury.
  PH: { unit: 'Pa', scale: 100 },
  PI: { unit: 'Pa', scale: mercuryInch },
  PM: { unit: 'Pa', scale: 133.322 },
  Rl: { unit: 'm3/s', scale: 0.001 },
  // A switch has no unit; Vaisala writes the speed of the wind as one.
  SK: { unit: 'm/s', scale: 1 / 3.6 },
  SM: { unit: 'm/s' },
  SN: { unit: 'm/s', scale: 1852 / 3600 },
  SS: { unit: 'm/s', scale: 0.447_04 },
  TR: { unit: '1/min' },
  // Vaisala's heating: off, at half and at full power.
  UN: volt,
  UF: volt,
  UW: volt,
  VM: { unit: 'm3' },
  VP: { unit: '/100' },
  VV: volt,
  Zs: { unit: 's' },
  ZS: { unit: 's' },
}

/** Types whose letters mean something else than elsewhere, and generic ones. */
const ofItsOwn = 'GRSVYZ'

const byLetter: Readonly<Record<string, Meaning>> = {
  A: { unit: 'A' },
  B: { unit: 'Pa', scale: 1e5 },
  C: { unit: 'Cel' },
  D: { unit: 'deg' },
  P: { unit: '/100' },
  V: volt,
}
