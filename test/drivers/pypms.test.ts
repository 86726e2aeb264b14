/** What seven air sensors said, one after the other as on their lines, and what PyPMS made of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mhz19 } from '../../drivers/mhz19.ts'
import { plantower } from '../../drivers/plantower.ts'
import { sds011 } from '../../drivers/sds011.ts'
import { sps30 } from '../../drivers/sps30.ts'
import { cases, hear, sayings } from './bench.ts'

type Row = {
  readonly sensor: string
  readonly input_hex: string
  readonly expect: Readonly<Record<string, number>>
}

// Their name, ours, and to how many places they print it.
const names: Readonly<Record<string, readonly [ours: string, places: number]>> = {
  ...{ pm01: ['pm1', 1], pm25: ['pm2_5', 1], pm04: ['pm4', 1], pm10: ['pm10', 1] },
  ...{ raw01: ['pm1_factory', 0], raw25: ['pm2_5_factory', 0], raw10: ['pm10_factory', 0] },
  ...{ temp: ['temperature', 1], rhum: ['humidity', 1], diam: ['typical_size', 1] },
  ...{ pm100: ['pm100', 1], CO2: ['co2', 0] },
}
const counts = {
  plantower: ['n0_3', 'n0_5', 'n1_0', 'n2_5', 'n5_0', 'n10_0'],
  sps30: ['n0_5', 'n1_0', 'n2_5', 'n4_0', 'n10_0'],
}
const ours = {
  plantower: ['over0_3um', 'over0_5um', 'over1um', 'over2_5um', 'over5um', 'over10um'],
  sps30: ['to0_5um', 'to1um', 'to2_5um', 'to4um', 'to10um'],
}
const all = [plantower, sds011, sps30, mhz19]
const drivers = { PMS: plantower, SDS: sds011, SPS: sps30, MHZ: mhz19 }
const rows = Map.groupBy(cases<Row>('families/pypms.json'), ({ sensor }) => sensor)

for (const [sensor, some] of rows) {
  const driver = drivers[sensor.slice(0, 3) as keyof typeof drivers]
  const line = Buffer.from(some.map(({ input_hex }) => input_hex).join(''), 'hex')

  test(`${sensor}: every value is the one that PyPMS prints, and nothing is doubted`, () => {
    const heard = hear(driver, line)
    const said = sayings(heard)
    assert.equal(said.length, some.length)
    assert.equal(heard.length, some.length)
    for (const [i, { expect }] of some.entries()) {
      const values = said[i]?.values ?? {}
      for (const [theirs, value] of Object.entries(expect)) {
        assert.equal(printed(driver.id, theirs, values), value, `${theirs} of row ${i}`)
      }
    }
  })

  test(`${sensor}: no driver of another sensor reads values in it`, () => {
    for (const other of all.filter((one) => one !== driver)) {
      assert.deepEqual(sayings(hear(other, line)), [], other.id)
    }
  })
}

/** Our value as they print theirs. */
function printed(id: string, theirs: string, values: Readonly<Record<string, unknown>>): number {
  const family = id as keyof typeof counts
  const at = counts[family]?.indexOf(theirs) ?? -1
  if (at >= 0) {
    const value = Number(values[ours[family][at] ?? ''])
    return Number((value / (id === 'plantower' ? 100 : 1)).toFixed(2))
  }
  const [name, places] = names[theirs] ?? assert.fail(theirs)
  return Number(Number(values[name]).toFixed(places))
}
