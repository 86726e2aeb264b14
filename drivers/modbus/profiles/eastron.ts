/**
 * Eastron SDM: electricity meters. All values are floats in input registers, highest register first; a
 * request may take 40 of them (80 registers) and must begin and end at a whole float.
 *
 * Power, reactive power and power factor carry a sign: negative is exported. Energies count in kWh.
 *
 * Source: Eastron, "SDM120-Modbus Smart Meter Modbus Protocol Implementation", "SDM230-Modbus …" and
 * "SDM630-Modbus V2 …", table of input registers. 30001 there is address 0 here.
 */
import { type Block, defineProfile, type Unit } from '../../../runtime/sense/driver.ts'

/** Name, address, unit and what it is, as a row of the maker's table. */
type Row = readonly [name: string, address: number, unit: Unit | undefined, title: string]

const singlePhase: readonly Row[] = [
  ['1-0:32.7.0', 0x0000, 'V', 'voltage'],
  ['1-0:31.7.0', 0x0006, 'A', 'current'],
  ['1-0:16.7.0', 0x000c, 'W', 'active power'],
  ['1-0:9.7.0', 0x0012, 'VA', 'apparent power'],
  ['reactive_power', 0x0018, 'var', 'reactive power'],
  ['1-0:13.7.0', 0x001e, undefined, 'power factor'],
]

const phaseAngle: Row = ['phase_angle', 0x0024, 'deg', 'phase angle']

const energies: readonly Row[] = [
  ['1-0:14.7.0', 0x0046, 'Hz', 'frequency'],
  ['1-0:1.8.0', 0x0048, 'kWh', 'active energy, imported'],
  ['1-0:2.8.0', 0x004a, 'kWh', 'active energy, exported'],
  ['1-0:3.8.0', 0x004c, 'kvarh', 'reactive energy, imported'],
  ['1-0:4.8.0', 0x004e, 'kvarh', 'reactive energy, exported'],
]

const totals: readonly Row[] = [
  ['1-0:15.8.0', 0x0156, 'kWh', 'active energy, imported and exported together'],
  ['reactive_energy', 0x0158, 'kvarh', 'reactive energy, imported and exported together'],
]

const threePhase: readonly Row[] = [
  ['1-0:32.7.0', 0x0000, 'V', 'voltage of L1'],
  ['1-0:52.7.0', 0x0002, 'V', 'voltage of L2'],
  ['1-0:72.7.0', 0x0004, 'V', 'voltage of L3'],
  ['1-0:31.7.0', 0x0006, 'A', 'current in L1'],
  ['1-0:51.7.0', 0x0008, 'A', 'current in L2'],
  ['1-0:71.7.0', 0x000a, 'A', 'current in L3'],
  ['1-0:36.7.0', 0x000c, 'W', 'active power of L1'],
  ['1-0:56.7.0', 0x000e, 'W', 'active power of L2'],
  ['1-0:76.7.0', 0x0010, 'W', 'active power of L3'],
  ['1-0:29.7.0', 0x0012, 'VA', 'apparent power of L1'],
  ['1-0:49.7.0', 0x0014, 'VA', 'apparent power of L2'],
  ['1-0:69.7.0', 0x0016, 'VA', 'apparent power of L3'],
  ['reactive_power_l1', 0x0018, 'var', 'reactive power of L1'],
  ['reactive_power_l2', 0x001a, 'var', 'reactive power of L2'],
  ['reactive_power_l3', 0x001c, 'var', 'reactive power of L3'],
  ['1-0:33.7.0', 0x001e, undefined, 'power factor of L1'],
  ['1-0:53.7.0', 0x0020, undefined, 'power factor of L2'],
  ['1-0:73.7.0', 0x0022, undefined, 'power factor of L3'],
  ['phase_angle_l1', 0x0024, 'deg', 'phase angle of L1'],
  ['phase_angle_l2', 0x0026, 'deg', 'phase angle of L2'],
  ['phase_angle_l3', 0x0028, 'deg', 'phase angle of L3'],
  ['current_sum', 0x0030, 'A', 'sum of the line currents'],
  ['1-0:16.7.0', 0x0034, 'W', 'active power, total'],
  ['1-0:9.7.0', 0x0038, 'VA', 'apparent power, total'],
  ['reactive_power', 0x003c, 'var', 'reactive power, total'],
  ['1-0:13.7.0', 0x003e, undefined, 'power factor, total'],
  ...energies,
]

const betweenLines: readonly Row[] = [
  ['voltage_l1_l2', 0x00c8, 'V', 'voltage between L1 and L2'],
  ['voltage_l2_l3', 0x00ca, 'V', 'voltage between L2 and L3'],
  ['voltage_l3_l1', 0x00cc, 'V', 'voltage between L3 and L1'],
]

const neutral: readonly Row[] = [['1-0:91.7.0', 0x00e0, 'A', 'current in the neutral']]

const energiesByPhase: readonly Row[] = [
  ...totals,
  ['1-0:21.8.0', 0x015a, 'kWh', 'active energy of L1, imported'],
  ['1-0:41.8.0', 0x015c, 'kWh', 'active energy of L2, imported'],
  ['1-0:61.8.0', 0x015e, 'kWh', 'active energy of L3, imported'],
  ['1-0:22.8.0', 0x0160, 'kWh', 'active energy of L1, exported'],
  ['1-0:42.8.0', 0x0162, 'kWh', 'active energy of L2, exported'],
  ['1-0:62.8.0', 0x0164, 'kWh', 'active energy of L3, exported'],
]

export const sdm120 = defineProfile({
  title: 'Eastron SDM120 electricity meter, one phase',
  source: 'Eastron SDM120-Modbus protocol, input registers',
  baudRate: 2400,
  blocks: [floats([...singlePhase, ...energies]), floats(totals)],
})

export const sdm230 = defineProfile({
  title: 'Eastron SDM230 electricity meter, one phase',
  source: 'Eastron SDM230-Modbus protocol, input registers',
  baudRate: 2400,
  blocks: [floats([...singlePhase, phaseAngle, ...energies]), floats(totals)],
})

export const sdm630 = defineProfile({
  title: 'Eastron SDM630 electricity meter, three phases',
  source: 'Eastron SDM630-Modbus V2 protocol, input registers',
  blocks: [floats(threePhase), floats(betweenLines), floats(neutral), floats(energiesByPhase)],
})

/** One request over these rows, first to last. */
function floats(rows: readonly Row[]): {
  function: 4
  address: number
  count: number
  fields: Record<string, Pick<Block['fields'][string], 'title' | 'address' | 'type' | 'unit'>>
} {
  const [[, address] = ['', 0], [, last] = ['', 0]] = [rows[0], rows.at(-1)]
  const fields = rows.map(([name, at, unit, title]) => {
    const field = { title, address: at, type: 'f32' as const }
    return [name, unit === undefined ? field : { ...field, unit }]
  })
  return { function: 4, address, count: last + 2 - address, fields: Object.fromEntries(fields) }
}
