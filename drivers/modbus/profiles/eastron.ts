/**
 * Eastron SDM: electricity meters. All values are floats in input registers, highest register first; a
 * request may take 40 of them (80 registers) and must begin and end at a whole float.
 *
 * Power, reactive power and power factor carry a sign: negative is exported. Energies count in kWh. What only
 * the bench wants (demands, distortion, what is set) has a block of its own and is not asked for.
 *
 * Source: Eastron, "SDM120-Modbus Smart Meter Modbus Protocol Implementation", "SDM230-Modbus …" and
 * "SDM630-Modbus V2 …", table of input registers, 30001 there being address 0 here, and of holding registers.
 * Checked against the tables of reaper7/SDM_Energy_Meter (SDM.h), volkszaehler/mbmd (meters/rs485/sdm.go) and
 * plebann/eastron_SDM_HA_integration (docs/registers-sdm120.md, docs/registers-sdm630.md).
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

/** Demands, averages over the period that is set; those of a whole day and more are the highest so far. */
const demands: readonly Row[] = [
  ['power_demand', 0x0054, 'W', 'power demand, imported and exported together'],
  ['power_demand_max', 0x0056, 'W', 'highest power demand, imported and exported together'],
  ['import_demand', 0x0058, 'W', 'power demand, imported'],
  ['import_demand_max', 0x005a, 'W', 'highest power demand, imported'],
  ['export_demand', 0x005c, 'W', 'power demand, exported'],
  ['export_demand_max', 0x005e, 'W', 'highest power demand, exported'],
]

const currentDemands: readonly Row[] = [
  ['current_demand', 0x0102, 'A', 'current demand'],
  ['current_demand_max', 0x0108, 'A', 'highest current demand'],
]

const resettable: readonly Row[] = [
  ['energy_resettable', 0x0180, 'kWh', 'active energy since it was reset'],
  ['reactive_energy_resettable', 0x0182, 'kvarh', 'reactive energy since it was reset'],
]

const averages: readonly Row[] = [
  ['voltage_average', 0x002a, 'V', 'average voltage to neutral'],
  ['current_average', 0x002e, 'A', 'average line current'],
  ['phase_angle_total', 0x0042, 'deg', 'phase angle of the system'],
  ['apparent_energy', 0x0050, 'kVAh', 'apparent energy'],
  ['charge', 0x0052, 'Ah', 'charge'],
  ...demands.slice(0, 2),
  ['apparent_demand', 0x0064, 'VA', 'apparent power demand'],
  ['apparent_demand_max', 0x0066, 'VA', 'highest apparent power demand'],
  ['neutral_demand', 0x0068, 'A', 'current demand in the neutral'],
  ['neutral_demand_max', 0x006a, 'A', 'highest current demand in the neutral'],
]

const quality: readonly Row[] = [
  ['voltage_lines_average', 0x00ce, 'V', 'average voltage between lines'],
  ['voltage_thd_l1', 0x00ea, '/100', 'distortion (THD) of the voltage of L1'],
  ['voltage_thd_l2', 0x00ec, '/100', 'distortion (THD) of the voltage of L2'],
  ['voltage_thd_l3', 0x00ee, '/100', 'distortion (THD) of the voltage of L3'],
  ['current_thd_l1', 0x00f0, '/100', 'distortion (THD) of the current in L1'],
  ['current_thd_l2', 0x00f2, '/100', 'distortion (THD) of the current in L2'],
  ['current_thd_l3', 0x00f4, '/100', 'distortion (THD) of the current in L3'],
  ['voltage_thd', 0x00f8, '/100', 'distortion (THD) of the voltage, average'],
  ['current_thd', 0x00fa, '/100', 'distortion (THD) of the current, average'],
  ['current_demand_l1', 0x0102, 'A', 'current demand in L1'],
  ['current_demand_l2', 0x0104, 'A', 'current demand in L2'],
  ['current_demand_l3', 0x0106, 'A', 'current demand in L3'],
  ['current_demand_max_l1', 0x0108, 'A', 'highest current demand in L1'],
  ['current_demand_max_l2', 0x010a, 'A', 'highest current demand in L2'],
  ['current_demand_max_l3', 0x010c, 'A', 'highest current demand in L3'],
]

const betweenLinesQuality: readonly Row[] = [
  ['voltage_thd_l1_l2', 0x014e, '/100', 'distortion (THD) of the voltage between L1 and L2'],
  ['voltage_thd_l2_l3', 0x0150, '/100', 'distortion (THD) of the voltage between L2 and L3'],
  ['voltage_thd_l3_l1', 0x0152, '/100', 'distortion (THD) of the voltage between L3 and L1'],
  ['voltage_thd_lines', 0x0154, '/100', 'distortion (THD) of the voltage between lines, average'],
]

const sumsByPhase: readonly Row[] = [
  ['1-0:35.8.0', 0x0166, 'kWh', 'active energy of L1, imported and exported together'],
  ['1-0:55.8.0', 0x0168, 'kWh', 'active energy of L2, imported and exported together'],
  ['1-0:75.8.0', 0x016a, 'kWh', 'active energy of L3, imported and exported together'],
  ['1-0:23.8.0', 0x016c, 'kvarh', 'reactive energy of L1, imported'],
  ['1-0:43.8.0', 0x016e, 'kvarh', 'reactive energy of L2, imported'],
  ['1-0:63.8.0', 0x0170, 'kvarh', 'reactive energy of L3, imported'],
  ['1-0:24.8.0', 0x0172, 'kvarh', 'reactive energy of L1, exported'],
  ['1-0:44.8.0', 0x0174, 'kvarh', 'reactive energy of L2, exported'],
  ['1-0:64.8.0', 0x0176, 'kvarh', 'reactive energy of L3, exported'],
  ['reactive_energy_l1', 0x0178, 'kvarh', 'reactive energy of L1, both ways together'],
  ['reactive_energy_l2', 0x017a, 'kvarh', 'reactive energy of L2, both ways together'],
  ['reactive_energy_l3', 0x017c, 'kvarh', 'reactive energy of L3, both ways together'],
  ...resettable,
]

/** What is set, in holding registers: floats too, but for the number of the meter. */
const settings = {
  function: 3,
  address: 0x0002,
  count: 0x001e - 0x0002,
  fields: {
    demand_period: setting('minutes of a demand', 0x0002),
    system_type: setting(
      '1 one phase, 2 three phases in 3 wires, 3 three phases in 4 wires',
      0x000a,
    ),
    pulse_width: setting('milliseconds of a pulse', 0x000c),
    line_parity: setting(
      '0 no parity and 1 stop bit, 1 even, 2 odd, 3 none and 2 stop bits',
      0x0012,
    ),
    line_unit: setting('unit that it is set to', 0x0014),
    line_speed: setting('0 2400 baud, 1 4800, 2 9600, 3 19200, 4 38400, 5 1200', 0x001c),
  },
} as const

const number = {
  function: 3,
  address: 0xfc00,
  count: 2,
  fields: {
    serial_number: { title: 'number of the meter', address: 0xfc00, type: 'u32', detail: true },
  },
} as const

export const sdm120 = defineProfile({
  title: 'Eastron SDM120 electricity meter, one phase',
  source: 'Eastron SDM120-Modbus protocol, input registers',
  baudRate: 2400,
  blocks: [
    floats([...singlePhase, ...energies]),
    floats(totals),
    bench([phaseAngle, ...demands]),
    bench(currentDemands),
    settings,
    number,
  ],
})

export const sdm230 = defineProfile({
  title: 'Eastron SDM230 electricity meter, one phase',
  source: 'Eastron SDM230-Modbus protocol, input registers',
  baudRate: 2400,
  blocks: [
    floats([...singlePhase, phaseAngle, ...energies]),
    floats(totals),
    bench(demands),
    bench(currentDemands),
    bench(resettable),
    settings,
    number,
  ],
})

export const sdm630 = defineProfile({
  title: 'Eastron SDM630 electricity meter, three phases',
  source: 'Eastron SDM630-Modbus V2 protocol, input registers',
  blocks: [
    floats(threePhase),
    floats(betweenLines),
    floats(neutral),
    floats(energiesByPhase),
    bench(averages),
    bench(quality),
    bench(betweenLinesQuality),
    bench(sumsByPhase),
    settings,
    number,
  ],
})

/**
 * It has few of them, and takes 60 registers in a request. Source: "SDM72D-M Modbus Protocol", input
 * registers, as nmakel/sdm_modbus has them too.
 */
export const sdm72 = defineProfile({
  title: 'Eastron SDM72 electricity meter, three phases',
  source: 'Eastron SDM72D-M Modbus protocol, input registers',
  blocks: [
    floats([['1-0:16.7.0', 0x0034, 'W', 'active power, total']]),
    floats(energies.slice(1, 3)),
    floats(totals.slice(0, 1)),
    floats([
      ['1-0:1.7.0', 0x0500, 'W', 'active power, imported'],
      ['1-0:2.7.0', 0x0502, 'W', 'active power, exported'],
    ]),
    bench(resettable.slice(0, 1)),
    bench([
      ['import_resettable', 0x0184, 'kWh', 'imported energy since it was reset'],
      ['export_resettable', 0x0186, 'kWh', 'exported energy since it was reset'],
    ]),
    {
      function: 3,
      address: 0x0012,
      count: 4,
      fields: { line_parity: settings.fields.line_parity, line_unit: settings.fields.line_unit },
    },
  ],
})

type Written = {
  function: 4
  address: number
  count: number
  fields: Record<
    string,
    Pick<Block['fields'][string], 'title' | 'address' | 'type' | 'unit' | 'detail'>
  >
}

/** One request over these rows, first to last. */
function floats(rows: readonly Row[]): Written {
  const [[, address] = ['', 0], [, last] = ['', 0]] = [rows[0], rows.at(-1)]
  const fields = rows.map(([name, at, unit, title]) => {
    const field = { title, address: at, type: 'f32' as const }
    return [name, unit === undefined ? field : { ...field, unit }]
  })
  return { function: 4, address, count: last + 2 - address, fields: Object.fromEntries(fields) }
}

/** These rows for the bench only. */
function bench(rows: readonly Row[]): Written {
  const { fields, ...block } = floats(rows)
  const details = Object.entries(fields).map(([name, field]) => [name, { ...field, detail: true }])
  return { ...block, fields: Object.fromEntries(details) }
}

function setting(title: string, address: number) {
  return { title, address, type: 'f32', detail: true } as const
}
