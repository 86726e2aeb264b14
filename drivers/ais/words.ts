/** What the codes of ITU-R M.1371-5 stand for; a code that is not in its table has no text. */
import { bad, type Column } from './bits.ts'

/** The text of a code that another column reads; none where that is absent. */
export function spelled(code: Column, table: (code: number) => string | undefined): Column {
  return (bits) => {
    const found = code(bits)
    return typeof found === 'number' ? table(found) : found === bad ? bad : undefined
  }
}

/** Table 45, navigational status. */
export const statusText = from(0, [
  'Under way using engine',
  'At anchor',
  'Not under command',
  'Restricted manoeuvrability',
  'Constrained by her draught',
  'Moored',
  'Aground',
  'Engaged in fishing',
  'Under way sailing',
  undefined,
  undefined,
  'Towing astern',
  'Pushing ahead or towing alongside',
  undefined,
  'AIS-SART, MOB-AIS or EPIRB-AIS active',
])

/** Table 47, type of position fixing device. */
export const epfdText = from(1, [
  ...['GPS', 'GLONASS', 'GPS and GLONASS', 'Loran-C', 'Chayka', 'Integrated navigation system'],
  ...['Surveyed', 'Galileo', undefined, undefined, undefined, undefined, undefined, undefined],
  'Internal GNSS',
])

/** Table 53, type of ship: the first digit says what, the second what it carries. */
export function shiptypeText(code: number): string | undefined {
  const [tens, ones] = [Math.floor(code / 10), code % 10]
  if (tens === 3) return vessels(code)
  if (tens === 5) return special(code)
  const kind = kinds[tens]
  if (kind === undefined) return undefined
  const cargo = ones >= 1 && ones <= 4 ? `, hazardous category ${'ABCD'[ones - 1]}` : ''
  return `${kind}${cargo}`
}

const kinds: Readonly<Record<number, string>> = {
  ...{
    2: 'Wing in ground',
    4: 'High speed craft',
    6: 'Passenger',
    7: 'Cargo',
    8: 'Tanker',
    9: 'Other',
  },
}

const vessels = from(30, [
  ...['Fishing', 'Towing', 'Towing, longer than 200 m or wider than 25 m', 'Dredging'],
  ...['Diving', 'Military', 'Sailing', 'Pleasure craft'],
])

const special = from(50, [
  ...[
    'Pilot vessel',
    'Search and rescue',
    'Tug',
    'Port tender',
    'Anti-pollution',
    'Law enforcement',
  ],
  ...[undefined, undefined, 'Medical transport', 'Ship of a state not party to a conflict'],
])

/** Table 74, nature and type of aids to navigation. */
export const aidText = from(1, [
  ...['Reference point', 'RACON', 'Fixed structure off shore', 'Emergency wreck mark'],
  ...[
    'Light, without sectors',
    'Light, with sectors',
    'Leading light, front',
    'Leading light, rear',
  ],
  ...['Beacon, cardinal N', 'Beacon, cardinal E', 'Beacon, cardinal S', 'Beacon, cardinal W'],
  ...['Beacon, port hand', 'Beacon, starboard hand'],
  ...['Beacon, preferred channel port hand', 'Beacon, preferred channel starboard hand'],
  ...['Beacon, isolated danger', 'Beacon, safe water', 'Beacon, special mark'],
  ...['Cardinal mark N', 'Cardinal mark E', 'Cardinal mark S', 'Cardinal mark W'],
  ...['Port hand mark', 'Starboard hand mark'],
  ...['Preferred channel port hand', 'Preferred channel starboard hand'],
  ...['Isolated danger', 'Safe water', 'Special mark', 'Light vessel, LANBY or rig'],
])

function from(first: number, texts: readonly (string | undefined)[]) {
  return (code: number): string | undefined => texts[code - first]
}
