/** Hostile bytes: 100,000 for each driver here, ten million with `npm run fuzz`. SEED=n tries others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drivers } from '../../drivers/index.ts'
import { fuzz } from './fuzz.ts'
import { samples } from './samples.ts'

const bytes = Number(process.env.BYTES ?? 100_000)
const seed = Number(process.env.SEED ?? 20_201)
const mebibyte = 2 ** 20

for (const driver of drivers) {
  const sample = samples[driver.id] ?? assert.fail(`a sample of ${driver.id} is missing`)
  test(`${driver.id}: ${bytes} hostile bytes neither break it nor fool it (seed ${seed})`, (t) => {
    const found = fuzz(driver, sample, bytes, seed)
    t.diagnostic(JSON.stringify({ driver: driver.id, ...found }))
    assert.ok(found.bytes >= bytes)
    assert.deepEqual(found.unfit, [])
    assert.ok(found.slowestMs < 5_000, `one chunk took ${found.slowestMs} ms`)
    assert.ok(found.grownBytes < 8 * mebibyte, `the heap grew by ${found.grownBytes} bytes`)
    assert.equal(found.believed, 0, 'one wrong bit was believed')
    // A check of 8 bits lets one damaged frame in 256 through: nobody can tell those.
    assert.ok(found.strangers <= found.damaged / 64, `${found.strangers} of ${found.damaged}`)
  })
}
