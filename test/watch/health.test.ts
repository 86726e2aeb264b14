import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HealthParts, healthOf } from '../../runtime/watch/health.ts'

const well: HealthParts = {
  device: '0xd0',
  version: '0.1.0',
  clock: { boot: '00'.repeat(16), quality: 'synced' },
  sensors: [{ name: 'air', state: 'open', moments: 3 }],
  models: [],
  store: {
    ...{ waiting: 1, epochs: 2, outboxRows: 0, outboxBytes: 10 },
    ...{ walBytes: 0, databaseBytes: 4096 },
  },
  broker: { url: 'mqtt://127.0.0.1:1883', connected: true },
  sale: { owed: 12n, sessions: 1 },
  enrolled: true,
  totals: {
    ...{ readings_stored: { air: 3 }, doubts: {}, epochs_sealed: {} },
    ...{ epochs_published: {}, epochs_sold: {}, refusals: {} },
  },
  outboxBytesMax: 10,
}

test('a device that works is well, and its document is plain JSON', () => {
  const health = healthOf(well)
  assert.equal(health.ok, true)
  assert.deepEqual(health.problems, [])
  assert.equal(JSON.parse(JSON.stringify(health)).sale.owed, '12')
})

test('each thing that is wrong is one sentence that says what to do or to expect', () => {
  const cases: [Partial<HealthParts>, RegExp][] = [
    [{ sensors: [{ name: 'air', state: 'silent', moments: 3 }] }, /sensor air .*check its cable/],
    [{ sensors: [{ name: 'air', state: 'backoff', moments: 3 }] }, /sensor air /],
    [{ broker: { url: 'mqtt://b', connected: false } }, /no line to mqtt:\/\/b: readings are kept/],
    [{ store: { ...well.store, outboxBytes: 11 } }, /11 unsent bytes/],
    [{ clock: { ...well.clock, quality: 'unset' } }, /clock is unset/],
  ]
  for (const [wrong, sentence] of cases) {
    const { ok, problems } = healthOf({ ...well, ...wrong })
    assert.equal(ok, false)
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', sentence)
  }
})

test('several wrongs are all told', () => {
  const broker = { url: 'mqtt://b', connected: false }
  const clock = { ...well.clock, quality: 'unset' } as const
  assert.equal(healthOf({ ...well, broker, clock }).problems.length, 2)
})
