/**
 * Every unit a field may have, in one table: SenML registry codes (RFC 8428 §12.1, RFC 8798), and UCUM
 * where the registry has none. Drivers take their units from here; adding one is adding a row.
 */
export const units = {
  // RFC 8428 §12.1, primary units
  m: { name: 'metre', source: 'SenML' },
  kg: { name: 'kilogram', source: 'SenML' },
  s: { name: 'second', source: 'SenML' },
  A: { name: 'ampere', source: 'SenML' },
  K: { name: 'kelvin', source: 'SenML' },
  Hz: { name: 'hertz', source: 'SenML' },
  rad: { name: 'radian', source: 'SenML' },
  Pa: { name: 'pascal', source: 'SenML' },
  J: { name: 'joule', source: 'SenML' },
  W: { name: 'watt', source: 'SenML' },
  V: { name: 'volt', source: 'SenML' },
  Ohm: { name: 'ohm', source: 'SenML' },
  Cel: { name: 'degrees Celsius', source: 'SenML' },
  m3: { name: 'cubic metre', source: 'SenML' },
  l: { name: 'litre', source: 'SenML' },
  'm/s': { name: 'metre per second', source: 'SenML' },
  'm/s2': { name: 'metre per second squared', source: 'SenML' },
  'm3/s': { name: 'cubic metre per second', source: 'SenML' },
  'kg/m3': { name: 'kilogram per cubic metre', source: 'SenML' },
  '/': { name: 'ratio, 0 to 1', source: 'SenML' },
  '%RH': { name: 'relative humidity, percent', source: 'SenML' },
  '%EL': { name: 'remaining battery energy, percent', source: 'SenML' },
  EL: { name: 'remaining battery energy, seconds', source: 'SenML' },
  lat: { name: 'degrees latitude, WGS 84', source: 'SenML' },
  lon: { name: 'degrees longitude, WGS 84', source: 'SenML' },
  count: { name: 'counter value', source: 'SenML' },
  '1/s': { name: 'events per second', source: 'SenML' },
  dB: { name: 'decibel', source: 'SenML' },
  dBm: { name: 'decibel milliwatt', source: 'SenML' },
  var: { name: 'volt-ampere reactive', source: 'SenML' },
  VA: { name: 'volt-ampere', source: 'SenML' },
  varh: { name: 'volt-ampere-reactive hour', source: 'SenML' },
  VAh: { name: 'volt-ampere hour', source: 'SenML' },
  'J/m': { name: 'joule per metre', source: 'SenML' },
  // RFC 8798, secondary units
  ms: { name: 'millisecond', source: 'SenML' },
  min: { name: 'minute', source: 'SenML' },
  h: { name: 'hour', source: 'SenML' },
  kW: { name: 'kilowatt', source: 'SenML' },
  kVA: { name: 'kilovolt-ampere', source: 'SenML' },
  kvar: { name: 'kilovar', source: 'SenML' },
  Ah: { name: 'ampere-hour', source: 'SenML' },
  Wh: { name: 'watt-hour', source: 'SenML' },
  kWh: { name: 'kilowatt-hour', source: 'SenML' },
  mV: { name: 'millivolt', source: 'SenML' },
  mA: { name: 'milliampere', source: 'SenML' },
  mm: { name: 'millimetre', source: 'SenML' },
  cm: { name: 'centimetre', source: 'SenML' },
  km: { name: 'kilometre', source: 'SenML' },
  'km/h': { name: 'kilometre per hour', source: 'SenML' },
  hPa: { name: 'hectopascal', source: 'SenML' },
  deg: { name: 'degrees of angle', source: 'SenML' },
  ppm: { name: 'parts per million', source: 'SenML' },
  ppb: { name: 'parts per billion', source: 'SenML' },
  'ug/m3': { name: 'microgram per cubic metre', source: 'SenML' },
  'mg/m3': { name: 'milligram per cubic metre', source: 'SenML' },
  '/100': { name: 'percent', source: 'SenML' },
  // UCUM, where the registry has none
  '/dL': { name: 'particles per decilitre', source: 'UCUM' },
  um: { name: 'micrometre', source: 'UCUM' },
  '/cm3': { name: 'particles per cubic centimetre', source: 'UCUM' },
} as const satisfies Readonly<Record<string, { name: string; source: 'SenML' | 'UCUM' }>>

export type Unit = keyof typeof units

/** True when the table has this code. */
export function isUnit(code: string): code is Unit {
  return Object.hasOwn(units, code)
}
