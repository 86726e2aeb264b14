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
    ...{ walBytes: 0, databaseBytes: 4096, usedBytes: 4096, pinnedBytes: 0, diskBytes: 1e9 },
    full: false,
    failing: false,
  },
  broker: { url: 'mqtt://127.0.0.1:1883', connected: true, troubles: [], takeovers: 0 },
  books: 'whole',
  sale: { owed: 12n, sessions: 1 },
  enrolled: true,
  totals: {
    ...{ readings_stored: { air: 3 }, doubts: {}, epochs_sealed: {} },
    ...{ epochs_published: {}, epochs_sold: {}, refusals: {}, broker_takeovers: {} },
    epochs_evicted: { quota: 7 },
  },
  outboxBytesMax: 10,
}

test('a device that works is well, and its document is plain JSON', () => {
  const health = healthOf(well)
  assert.equal(health.ok, true)
  assert.deepEqual(health.problems, [])
  assert.equal(JSON.parse(JSON.stringify(health)).sale.owed, '12')
})

const clone = {
  code: 'BROKER_TAKEN_OVER',
  message: 'another client has our id',
  cure: 'stop it',
}

test('each thing that is wrong is one sentence that says what to do or to expect', () => {
  const cases: [Partial<HealthParts>, RegExp][] = [
    [{ sensors: [{ name: 'air', state: 'silent', moments: 3 }] }, /sensor air .*check its cable/],
    [{ sensors: [{ name: 'air', state: 'backoff', moments: 3 }] }, /sensor air /],
    [{ broker: { ...well.broker, connected: false } }, /no line to mqtt:.*: readings are kept/],
    [{ broker: { ...well.broker, troubles: [clone] } }, /another client has our id: stop it/],
    [
      { broker: { ...well.broker, certificateDays: 14 } },
      /certificate .* ends in 14 days: put a new/,
    ],
    [{ broker: { ...well.broker, certificateDays: -1 } }, /certificate .* has ended: put a new/],
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
  const broker = { ...well.broker, connected: false }
  const clock = { ...well.clock, quality: 'unset' } as const
  assert.equal(healthOf({ ...well, broker, clock }).problems.length, 2)
})

test('a disk that fails is told with its cure', () => {
  const { problems } = healthOf({ ...well, store: { ...well.store, failing: true } })
  assert.match(problems.join(), /^the disk fails: .*dmesg/)
})

test('a full disk is told with its cure, and so are epochs that gave way before they were sent', () => {
  const store = { ...well.store, full: true }
  const totals = { ...well.totals, epochs_evicted: { disk: 5, unsent: 2 } }
  const { problems } = healthOf({ ...well, store, totals })
  assert.equal(problems.length, 2)
  assert.match(problems[0] ?? '', /^disk full: .*free some/)
  assert.match(problems[1] ?? '', /^2 epochs/)
})
