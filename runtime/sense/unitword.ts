/** A unit as somebody writes it into a table of their own. */
import { z } from 'zod'
import { meant } from '../nearest.ts'
import { isUnit, type Unit, units } from '../wire/units.ts'

/** A code of the table of units; whoever writes another is told which was probably meant. */
export const unitSchema = z.custom<Unit>(
  (code) => typeof code === 'string' && isUnit(code) && code !== coulomb,
  { error: ({ input }) => wrongUnit(String(input)) },
)

function wrongUnit(code: string): string {
  if (code === coulomb) return 'is coulomb; degrees Celsius are Cel, and charge is Ah'
  const plain = code.toLowerCase().replace(/[\s.]/g, '')
  const codes = Object.keys(units)
  const same = customary[plain] ?? codes.find((one) => one.toLowerCase() === plain)
  // Of short codes every other is but a slip away.
  const one = same ?? (code.length < 4 ? undefined : meant(codes, code))
  return `not a unit; ${one === undefined ? '' : `perhaps ${one}: `}docs/drivers.md lists them`
}

/** A temperature in coulomb is the likeliest slip of all, and no sensor of one's own counts charge in it. */
const coulomb = 'C'

/** What people write, and what it is here. */
const customary: Readonly<Record<string, string>> = {
  ...{ '°c': 'Cel', '*c': 'Cel', '℃': 'Cel', degc: 'Cel', celsius: 'Cel', degrees: 'Cel or deg' },
  ...{ '%': '/100 or %RH', percent: '/100 or %RH', '%rh': '%RH', rh: '%RH', '°': 'deg' },
  ...{ 'µg/m³': 'ug/m3', 'μg/m³': 'ug/m3', 'µg/m3': 'ug/m3', 'ug/m^3': 'ug/m3', 'mg/m³': 'mg/m3' },
  ...{ volt: 'V', volts: 'V', ampere: 'A', amps: 'A', watt: 'W', watts: 'W', hertz: 'Hz' },
  ...{ ohm: 'Ohm', ohms: 'Ohm', ω: 'Ohm', lux: 'lx', mbar: 'hPa', bar: 'Pa with scale: 100000' },
  ...{
    kpa: 'Pa with scale: 1000',
    'm3/h': 'm3/s with scale: 0.000277777777777778',
    'm³/h': 'm3/s',
  },
  ...{ sec: 's', secs: 's', seconds: 's', rpm: '1/min', 'm³': 'm3', 'm²': 'm2', 'm/s²': 'm/s2' },
}
