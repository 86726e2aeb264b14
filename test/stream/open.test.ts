import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openMessages } from '../../runtime/stream/open.ts'
import { text } from '../../runtime/wire/bytes.ts'
import type { Reading } from '../../runtime/wire/reading.ts'

const device = `0x${'5a'.repeat(20)}` as const
const spot = { generation: 1, number: 12, index: 3 }
const reading: Reading = {
  stream: 'air',
  boot: '00'.repeat(16),
  monotonicMs: 5_000,
  wallMs: 1_790_000_000_500,
  values: { pm2_5: 8.5, ok: true, label: 'a "b"', raw: Uint8Array.of(251, 255), total: 2n ** 60n },
  units: { pm2_5: 'ug/m3' },
}

test('a free reading is SenML that names its epoch and its place there', () => {
  const { topic, payload } = openMessages(device)(reading, spot)
  assert.equal(topic, `wayside/1/${device}/s/air/open`)
  const [first, ...more] = JSON.parse(text(payload))
  assert.deepEqual(first, {
    bn: `${device}/air/`,
    bt: 1_790_000_000.5,
    mono: 5_000,
    generation: 1,
    epoch: 12,
    index: 3,
    n: 'pm2_5',
    u: 'ug/m3',
    v: 8.5,
  })
  assert.deepEqual(more.slice(0, 3), [
    { n: 'ok', vb: true },
    { n: 'label', vs: 'a "b"' },
    { n: 'raw', vd: '-_8' },
  ])
})

test('a counter past 2^53 keeps all its digits', () => {
  const { payload } = openMessages(device)(reading, spot)
  assert.match(text(payload), /"n":"total","v":1152921504606846976}/)
})

test('without a clock it says so in a field that readers must understand', () => {
  const { wallMs: _, ...unset } = reading
  const { payload } = openMessages(device)({ ...unset, subject: 'ship' }, spot)
  const [first] = JSON.parse(text(payload))
  assert.deepEqual(first.boot_, ['00'.repeat(16), 5_000])
  assert.equal(first.bt, undefined)
  assert.equal(first.bn, `${device}/air/ship/`)
})
