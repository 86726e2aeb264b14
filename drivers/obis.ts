/**
 * OBIS codes (IEC 62056-61), which name what a meter measures: A-B:C.D.E*F.
 *
 *   A  medium       0 none, 1 electricity, 4 heat cost, 5 cooling, 6 heat, 7 gas, 8 and 9 water
 *   B  channel      0, or the number of a meter behind this one
 *   C  quantity     1 and 2 active power imported and exported, 31 current in L1, …: the table below
 *   D  how          7 now, 8 counted, 6 maximum, 4 average of the running period
 *   E  tariff       0 all
 *   F  period       255 now, else a billing period of the past
 *
 * A field is named by its code as it stands, `1-0:1.8.0`, without a period of 255; one of the past is
 * written behind `_`, because no name may have a star: `1-0:1.8.0_01`. What a code means is its title.
 *
 * Source: IEC 62056-61 and EN 13757-1; EDIS, DIN 43863-3.
 */
import type { Field, Unit, Value } from '../runtime/sense/driver.ts'

/** The name of a field for a code as meters write it; undefined when no field can have that name. */
export function obisName(code: string): string | undefined {
  const name = code
    .trim()
    .replace(/[*&]255$/, '')
    .replace(/[*&]/, '_')
  return /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,47}$/.test(name) ? name : undefined
}

/** A number and its unit as the table of units has it. */
export type Amount = { readonly value: number | bigint; readonly unit?: Unit }

/**
 * Digits and a unit as a meter writes them, in the unit that is wanted. Left out, the unit stays the
 * meter's where the table of units has it, else the number is shifted to the nearest that it has (MWh to
 * kWh, GJ to J). Undefined when it is no amount, or one of another kind than is wanted.
 */
export function amount(digits: string, written: string, wanted?: Unit): Amount | undefined {
  const text = digits.trim()
  if (!/^[+-]?\d{1,18}([.,]\d{1,12})?$/.test(text)) return undefined
  const [unit, exponent = 0, per = 1] = unitOf(written.trim()) ?? []
  if (unit === undefined) return undefined
  const [shift, divisor = 1] =
    wanted === undefined || wanted === unit ? [0] : (conversions[wanted]?.[unit] ?? [])
  if (shift === undefined) return undefined
  const value = shifted(text.replace(',', '.'), exponent + shift, per * divisor)
  return { value, unit: wanted ?? unit }
}

/** A number without a unit, exact: past 2^53 a bigint. */
export function plainNumber(digits: string): number | bigint | undefined {
  const text = digits.trim()
  return /^[+-]?\d{1,18}(\.\d{1,12})?$/.test(text) ? shifted(text, 0, 1) : undefined
}

/** Decimal digits times a power of ten: by the text, so that 0.3 kW is no 0.30000000000000004. */
export function shifted(digits: string, exponent: number, per = 1): number | bigint {
  const value = Number(`${digits}e${exponent}`) / per
  const whole = /^[+-]?\d+$/.test(digits) && exponent >= 0 && per === 1
  if (!whole || Number.isSafeInteger(value)) return value
  return BigInt(digits.replace('+', '')) * 10n ** BigInt(exponent)
}

/**
 * The text in pairs of hex digits (P1 sends octet strings so), without the blanks that fill it up; as it
 * stands when it is none. A number (`isNumber`) has letters and digits alone, else digits that were sent as
 * they are, such as 53264741, would be taken for pairs.
 */
export function octets(digits: string, isNumber = false): string {
  const trimmed = digits.replace(/(00)+$/, '')
  if (trimmed.length < 4 || !/^([2-7][0-9A-Fa-f])+$/.test(trimmed)) return digits
  const text = trimmed.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)))
  return (isNumber ? /^[0-9A-Za-z ./_-]*$/ : /^[ -~]*$/).test(text) ? text.trimEnd() : digits
}

/** Fields by their codes, titled by what the codes mean; `kilo` is whether energies count in kWh. */
export function obisFields(codes: readonly string[], kilo: boolean): Record<string, Field> {
  return Object.fromEntries(codes.map((code) => [code, obisField(code, kilo)]))
}

function obisField(code: string, kilo: boolean): Field {
  const [, c = 0, d = 0, e = 0] =
    /(?:^|:)(\d+)\.(\d+)\.(\d+)$/.exec(code)?.map((part) => Number(part)) ?? []
  const phase = c > 20 && c <= 80 ? Math.floor((c - 1) / 20) : 0
  const base = c - 20 * phase
  const of = phase === 0 ? '' : ` of L${phase}`
  const tariff = e === 0 ? '' : `, tariff ${e}`
  const alone = singles[base]
  if (alone !== undefined) {
    const [what, unit] = alone
    const title = `${what}${of}${d === 4 ? ', limit' : ''}`
    return unit === '' ? { title, type: 'number' } : { title, type: 'number', unit }
  }
  const [kind = '', way = ''] = powers[base] ?? []
  const [power, energy] = unitsOfKind[kind as keyof typeof unitsOfKind] ?? ['W', 'Wh']
  const [what, unit] =
    d === 8 ? ([`${kind} energy`, energy] as const) : ([`${kind} power`, power] as const)
  const how = { 4: ', average of the running period', 6: ', highest average' }[d] ?? ''
  const title = `${what}${of}${way}${how}${tariff}`
  return { title, type: 'number', unit: kilo ? `k${unit}` : unit }
}

/** Value group C of electricity, of all phases together; 20, 40 and 60 more are L1, L2 and L3. */
const powers: Readonly<Record<number, readonly [kind: string, way: string]>> = {
  1: ['active', ', imported'],
  2: ['active', ', exported'],
  3: ['reactive', ', imported'],
  4: ['reactive', ', exported'],
  5: ['reactive', ', quadrant 1'],
  6: ['reactive', ', quadrant 2'],
  7: ['reactive', ', quadrant 3'],
  8: ['reactive', ', quadrant 4'],
  9: ['apparent', ', imported'],
  10: ['apparent', ', exported'],
  15: ['active', ', imported and exported together'],
  16: ['active', ', imported less exported'],
}
const unitsOfKind = {
  active: ['W', 'Wh'],
  reactive: ['var', 'varh'],
  apparent: ['VA', 'VAh'],
} as const

const singles: Readonly<Record<number, readonly [what: string, unit: 'A' | 'V' | 'Hz' | '']>> = {
  11: ['current', 'A'],
  12: ['voltage', 'V'],
  13: ['power factor', ''],
  14: ['frequency', 'Hz'],
  91: ['current in the neutral', 'A'],
}

type Written = readonly [unit: Unit, exponent?: number, per?: number]

function unitOf(written: string): Written | undefined {
  const found = units[written] ?? units[written.toLowerCase()]
  if (found !== undefined) return found
  // Capitals throughout, as some meters write: KWH, KVARH. An M is then a mega, for no meter counts in milli.
  const key = Object.keys(units).find((unit) => unit.toLowerCase() === written.toLowerCase())
  return key === undefined ? undefined : units[key]
}

/** A unit as meters write it → ours, and by which power of ten (and divided by what) the number is taken. */
const units: Readonly<Record<string, Written>> = Object.assign(Object.create(null), {
  Wh: ['Wh'],
  kWh: ['kWh'],
  MWh: ['kWh', 3],
  GWh: ['kWh', 6],
  varh: ['varh'],
  kvarh: ['kvarh'],
  Mvarh: ['kvarh', 3],
  VAh: ['VAh'],
  kVAh: ['kVAh'],
  MVAh: ['kVAh', 3],
  W: ['W'],
  kW: ['kW'],
  MW: ['kW', 3],
  var: ['var'],
  kvar: ['kvar'],
  Mvar: ['kvar', 3],
  VA: ['VA'],
  kVA: ['kVA'],
  MVA: ['kVA', 3],
  J: ['J'],
  kJ: ['J', 3],
  MJ: ['J', 6],
  GJ: ['J', 9],
  V: ['V'],
  mV: ['mV'],
  kV: ['V', 3],
  A: ['A'],
  mA: ['mA'],
  kA: ['A', 3],
  Hz: ['Hz'],
  m3: ['m3'],
  'm³': ['m3'],
  Nm3: ['m3'],
  dm3: ['l'],
  l: ['l'],
  'm3/h': ['m3/s', 0, 3600],
  'm³/h': ['m3/s', 0, 3600],
  m3ph: ['m3/s', 0, 3600],
  'l/h': ['m3/s', -3, 3600],
  lph: ['m3/s', -3, 3600],
  C: ['Cel'],
  '°C': ['Cel'],
  degC: ['Cel'],
  K: ['K'],
  bar: ['Pa', 5],
  mbar: ['hPa'],
  Pa: ['Pa'],
  kPa: ['Pa', 3],
  s: ['s'],
  sec: ['s'],
  secs: ['s'],
  min: ['min'],
  // Ultraheat; no meter counts in metres.
  m: ['min'],
  h: ['h'],
  Deg: ['deg'],
  '°': ['deg'],
  '%': ['/100'],
  kg: ['kg'],
} satisfies Record<string, Written>)

/** The unit wanted → another of its kind: by which power of ten, and divided by what, the number is taken. */
const conversions: Partial<Record<Unit, Partial<Record<Unit, readonly [number, number?]>>>> = {
  kWh: { Wh: [-3], J: [-5, 36] },
  kW: { W: [-3] },
  kvarh: { varh: [-3] },
  kvar: { var: [-3] },
  kVAh: { VAh: [-3] },
  kVA: { VA: [-3] },
  A: { mA: [-3] },
  V: { mV: [-3] },
  m3: { l: [-3] },
  h: { min: [0, 60], s: [0, 3600] },
  // What is wanted in kelvin is a difference of temperatures.
  K: { Cel: [0] },
}

/** Values and their units, as they are gathered from the lines of a meter: the first of a name keeps it. */
export type Gathered = {
  readonly values: Record<string, Value>
  readonly units: Record<string, Unit>
}

export function gather(into: Gathered, name: string, value: Value | undefined, unit?: Unit): void {
  if (value === undefined || Object.hasOwn(into.values, name)) return
  into.values[name] = value
  if (unit !== undefined) into.units[name] = unit
}
