import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seriesMax } from '../../runtime/watch/counts.ts'
import { type LevelName, openMetrics } from '../../runtime/watch/metrics.ts'

const levels: Readonly<Record<LevelName, number>> = {
  outbox_rows: 3,
  outbox_bytes: 1024,
  waiting_readings: 7,
  wal_bytes: 4096,
  store_refused: 0,
  store_bytes: 65_536,
  pinned_bytes: 512,
  disk_free_bytes: 1e9,
  broker_connected: 1,
  cloned: 0,
  broker_certificate_days: 30,
}

test('every line is as Prometheus reads it, and every metric says what it is', async () => {
  const metrics = openMetrics()
  metrics.stored('air', 5)
  metrics.doubted('air', 'bad "sum"\n', 2)
  metrics.levels(async () => levels)
  const { body, type } = await metrics.text()
  assert.match(type, /^text\/plain; version=0\.0\.4/)
  const named = new Map<string, string[]>()
  for (const line of body.trim().split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) ([a-z_:][a-z0-9_:]*) \S/.exec(line)
    if (comment !== null) {
      named.set(comment[2] ?? '', [...(named.get(comment[2] ?? '') ?? []), comment[1] ?? ''])
      continue
    }
    const sample =
      /^([a-z_:][a-z0-9_:]*)(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? (-?[0-9.e+-]+|NaN|\+Inf)$/i
    const [, name = ''] = sample.exec(line) ?? []
    assert.notEqual(name, '', `not a sample: ${line}`)
    const family = [name, name.replace(/_(bucket|sum|count)$/, '')].find((one) => named.has(one))
    assert.deepEqual(named.get(family ?? ''), ['HELP', 'TYPE'], name)
  }
  assert.ok(body.includes('wayside_readings_stored_total{stream="air"} 5\n'))
  assert.ok(body.includes('wayside_doubts_total{source="air",reason="bad \\"sum\\"\\n"} 2\n'))
})

test('the levels of one scrape are read once', async () => {
  const metrics = openMetrics()
  let reads = 0
  metrics.levels(async () => {
    reads += 1
    return levels
  })
  const { body } = await metrics.text()
  assert.equal(reads, 1)
  for (const [name, value] of Object.entries(levels)) {
    assert.ok(body.includes(`\nwayside_${name} ${value}\n`), name)
  }
})

test('what is counted stands in the totals under its labels', async () => {
  const metrics = openMetrics()
  metrics.stored('air', 2)
  metrics.stored('air', 3)
  metrics.stored('gps', 1)
  metrics.doubted('air', 'bad checksum')
  metrics.sealed('air')
  metrics.published('air')
  metrics.sold(4)
  metrics.refused('PRICE_LOW')
  metrics.takenOver()
  assert.deepEqual(await metrics.totals(), {
    readings_stored: { air: 5, gps: 1 },
    doubts: { 'air:bad checksum': 1 },
    epochs_sealed: { air: 1 },
    epochs_published: { air: 1 },
    epochs_sold: { all: 4 },
    refusals: { PRICE_LOW: 1 },
    epochs_evicted: {},
    broker_takeovers: { all: 1 },
  })
})

test('two devices in one process count apart', async () => {
  const [one, other] = [openMetrics(), openMetrics()]
  one.stored('air', 1)
  assert.deepEqual((await other.totals()).readings_stored, {})
})

test('a driver that names each doubt differently, or a crowd of buyers, makes no series without end', async () => {
  const metrics = openMetrics()
  for (let i = 0; i < 2 * seriesMax; i += 1) metrics.doubted('soil', `odd byte ${i}`)
  metrics.doubted('soil', 'odd byte 0')
  for (let i = 0; i < 2 * seriesMax; i += 1) metrics.sold(1)
  const { doubts, epochs_sold } = await metrics.totals()
  assert.equal(Object.keys(doubts).length, seriesMax + 1)
  assert.equal(doubts['soil:odd byte 0'], 2)
  assert.equal(doubts['other:other'], seriesMax)
  assert.deepEqual(epochs_sold, { all: 2 * seriesMax })
})

test('what ends in _total is a counter, and what is a counter ends so', async () => {
  const { body } = await openMetrics().text()
  for (const [, name = '', type] of body.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
  }
})
