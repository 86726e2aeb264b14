import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dsmr } from '../../../drivers/dsmr/index.ts'
import { cases, hear, sayings } from '../bench.ts'
import { bytesOf, type Case, holdMap, type Names } from '../maps.ts'

type Theirs = Readonly<Record<string, { readonly value?: unknown; readonly unit?: string | null }>>
const theirs = ({ values }: Case['expect']) => (values ?? {}) as Theirs

const words: Names = {
  P1_MESSAGE_HEADER: ['1-3:0.2.8', 1],
  BELGIUM_VERSION_INFORMATION: ['0-0:96.1.4', 1],
  EQUIPMENT_IDENTIFIER: ['0-0:96.1.1', 1],
  BELGIUM_EQUIPMENT_IDENTIFIER: ['0-0:96.1.1', 1],
  EQUIPMENT_SERIAL_NUMBER: ['0-0:96.1.0', 1],
  COSEM_LOGICAL_DEVICE_NAME: ['0-0:42.0.0', 1],
  ELECTRICITY_ACTIVE_TARIFF: ['0-0:96.14.0', 1],
  TEXT_MESSAGE: ['0-0:96.13.0', 1],
  // A number there, out of the hex digits of a text; and for Ireland the meter's own, under the name of gas.
  TEXT_MESSAGE_CODE: null,
  EQUIPMENT_IDENTIFIER_GAS: null,
  // Held below: it is the time of the moment, and no field.
  P1_MESSAGE_TIMESTAMP: null,
}

const amounts: Names = {
  CURRENT_ELECTRICITY_USAGE: ['1-0:1.7.0', 1],
  CURRENT_ELECTRICITY_DELIVERY: ['1-0:2.7.0', 1],
  BELGIUM_CURRENT_AVERAGE_DEMAND: ['1-0:1.4.0', 1],
  BELGIUM_MAXIMUM_DEMAND_MONTH: ['1-0:1.6.0', 1],
  SHORT_POWER_FAILURE_COUNT: ['0-0:96.7.21', 1],
  LONG_POWER_FAILURE_COUNT: ['0-0:96.7.9', 1],
  DEVICE_TYPE: ['0-1:24.1.0', 1],
  GAS_METER_READING: ['0-1:24.2.1', 1],
  HOURLY_GAS_METER_READING: ['0-1:24.2.1', 1],
  MBUS_VALVE_POSITION: ['0-1:24.4.0', 1],
  ACTUAL_SWITCH_POSITION: ['0-0:96.3.10', 1],
  ACTUAL_TRESHOLD_ELECTRICITY: ['0-0:17.0.0', 1],
  ELECTRICITY_IMPORTED_TOTAL: ['1-0:1.8.0', 1],
  ELECTRICITY_EXPORTED_TOTAL: ['1-0:2.8.0', 1],
  ELECTRICITY_REACTIVE_IMPORTED_TOTAL: ['1-0:3.8.0', 1],
  ELECTRICITY_REACTIVE_EXPORTED_TOTAL: ['1-0:4.8.0', 1],
  ELECTRICITY_COMBINED: ['1-0:15.8.0', 1],
  INSTANTANEOUS_POWER_FACTOR_TOTAL: ['1-0:13.7.0', 1],
  FREQUENCY: ['1-0:14.7.0', 1],
}

const rows = (ns: readonly number[], of: (n: number) => Names): Names =>
  Object.assign({}, ...ns.map(of))

const families: Names = {
  ...rows([1, 2, 3, 4], (n) => ({
    [`ELECTRICITY_USED_TARIFF_${n}`]: [`1-0:1.8.${n}`, 1],
    [`ELECTRICITY_DELIVERED_TARIFF_${n}`]: [`1-0:2.8.${n}`, 1],
    [`ELECTRICITY_REACTIVE_TOTAL_Q${n}`]: [`1-0:${n + 4}.8.0`, 1],
    [`INSTANTANEOUS_REACTIVE_POWER_Q${n}`]: [`1-0:${n + 4}.7.0`, 1],
  })),
  ...rows([1, 2, 3], (n) => ({
    [`INSTANTANEOUS_VOLTAGE_L${n}`]: [`1-0:${12 + 20 * n}.7.0`, 1],
    [`INSTANTANEOUS_CURRENT_L${n}`]: [`1-0:${11 + 20 * n}.7.0`, 1],
    [`INSTANTANEOUS_ACTIVE_POWER_L${n}_POSITIVE`]: [`1-0:${1 + 20 * n}.7.0`, 1],
    [`INSTANTANEOUS_ACTIVE_POWER_L${n}_NEGATIVE`]: [`1-0:${2 + 20 * n}.7.0`, 1],
    [`INSTANTANEOUS_POWER_FACTOR_L${n}`]: [`1-0:${13 + 20 * n}.7.0`, 1],
    [`VOLTAGE_SAG_L${n}_COUNT`]: [`1-0:${12 + 20 * n}.32.0`, 1],
    [`VOLTAGE_SWELL_L${n}_COUNT`]: [`1-0:${12 + 20 * n}.36.0`, 1],
    [`FUSE_THRESHOLD_L${n}`]: [`1-0:${11 + 20 * n}.4.0`, 1],
  })),
}

const files = ['cases.json', 'cases-gateways.json']
holdMap('dsmr', dsmr, { ...words, ...amounts, ...families }, { flat, near: 1e-12, files })

test('the time of a telegram is that which others read', () => {
  let held = 0
  for (const one of cases<Case>('dsmr/cases.json')) {
    const { value } = theirs(one.expect).P1_MESSAGE_TIMESTAMP ?? {}
    if (typeof value !== 'string') continue
    const [said] = sayings(hear(dsmr, bytesOf('dsmr', one)))
    assert.equal(said?.time, value)
    held += 1
  }
  assert.ok(held >= 2)
})

test('units are those which the meter sends, power and energy in thousands', () => {
  for (const one of cases<Case>('dsmr/cases.json')) {
    const [said] = sayings(hear(dsmr, bytesOf('dsmr', one)))
    for (const [name, about] of Object.entries(theirs(one.expect))) {
      const [our] = { ...amounts, ...families }[name] ?? []
      const { unit } = about as { readonly unit?: string | null }
      if (our === undefined || !unit) continue
      const kilo = inOnes.test(unit) ? `k${unit}` : unit
      assert.equal(said?.units?.[our], kilo, `${one.name} ${name}`)
    }
  }
})

test('no value has another unit than its field declares', () => {
  let held = 0
  for (const one of cases<Case>('dsmr/cases.json')) {
    const [said] = sayings(hear(dsmr, bytesOf('dsmr', one)))
    for (const [name, unit] of Object.entries(said?.units ?? {})) {
      const declared = dsmr.fields[name]?.unit
      if (declared !== undefined) assert.equal(unit, declared, `${one.name} ${name}`)
      held += declared === undefined ? 0 : 1
    }
  }
  assert.ok(held > 50)
})

test('the encrypted telegram says what it says in the clear', () => {
  const all = cases<Case & { readonly key_hex?: string }>('dsmr/cases.json')
  const sealed = all.find(({ key_hex }) => key_hex !== undefined) ?? assert.fail()
  const { plaintext_file } = sealed.expect
  const plain = all.find(({ input_file }) => input_file === plaintext_file) ?? assert.fail()
  assert.deepEqual(
    sayings(hear(dsmr, bytesOf('dsmr', sealed), { key: sealed.key_hex })),
    sayings(hear(dsmr, bytesOf('dsmr', plain))),
  )
})

/** Their table of values; hex digits of text as the text they stand for, and digits that count as numbers. */
function flat(expect: Case['expect']): Record<string, unknown> {
  const rows = Object.entries(theirs(expect)).filter(([, about]) => 'value' in about)
  return Object.fromEntries(
    rows.map(([name, { value, unit }]) => {
      const thousandth = typeof value === 'number' && inOnes.test(unit ?? '')
      return [name, thousandth ? value / 1000 : plain(name, value)]
    }),
  )
}

/** Power and energy as some meters count them; ours are in thousands of these. */
const inOnes = /^(W|VA|var)h?$/

function plain(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (amounts[name] !== undefined) return Number(value)
  const text = Buffer.from(value, 'hex').toString('latin1')
  return value.length > 8 && /^[ -~]+$/.test(text) ? text : value
}
