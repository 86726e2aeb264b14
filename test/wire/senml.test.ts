/**
 * Our packs, read by the rules of RFC 8428 alone. `resolve` is a reader that knows nothing of Wayside; it
 * is first held to the RFC's own examples, then to what we write.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decode } from 'cborg'
import { encodePack, type Reading } from '../../runtime/wire/reading.ts'
import { device, sampleReading } from './sample.ts'

type Row = Record<string, unknown>

const nowS = 1498780179
const file = new URL('../vectors/senml/rfc8428.json', import.meta.url)
const examples = JSON.parse(readFileSync(file, 'utf8')) as {
  name: string
  input: Row[]
  expect_resolved: Row[]
}[]

/** Labels of the CBOR form (RFC 8428 §6, table 4). */
const labels = new Map<unknown, string>([
  [-6, 'bs'],
  [-5, 'bv'],
  [-4, 'bu'],
  [-3, 'bt'],
  [-2, 'bn'],
  [-1, 'bver'],
  [0, 'n'],
  [1, 'u'],
  [2, 'v'],
  [3, 'vs'],
  [4, 'vb'],
  [5, 's'],
  [6, 't'],
  [7, 'ut'],
  [8, 'vd'],
])

/** Resolved records, RFC 8428 §4.6; throws at a must-understand field (§4.4) that it does not know. */
function resolve(rows: readonly Row[]): Row[] {
  let base: Row = {}
  return rows.map((row) => {
    base = { ...base, ...Object.fromEntries(Object.entries(row).filter(([k]) => /^b/.test(k))) }
    const strange = Object.keys(row).find((key) => key.endsWith('_'))
    if (strange !== undefined) throw new Error(`must understand ${strange}`)
    const { bn = '', bt = 0, bu } = base as { bn?: string; bt?: number; bu?: string }
    const { n = '', t = 0, u = bu, v, vs, vb, vd } = row as Row & { n?: string; t?: number }
    const time = bt + t < 2 ** 28 ? nowS + bt + t : bt + t
    const all = { n: bn + n, u, t: time, v, vs, vb, vd }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  })
}

const rowsOf = (pack: Uint8Array): Row[] =>
  (decode(pack, { useMaps: true }) as Map<unknown, unknown>[]).map((record) =>
    Object.fromEntries([...record].map(([key, value]) => [labels.get(key) ?? key, value])),
  )

test('the reader resolves the examples of RFC 8428', () => {
  for (const { name, input, expect_resolved } of examples) {
    assert.deepEqual(resolve(input), expect_resolved, name)
  }
})

test('a pack resolves to absolute names and times', () => {
  const rows = resolve(rowsOf(encodePack(sampleReading(0), device)))
  assert.deepEqual(rows, [
    { n: `${device}/air/pm1`, u: 'ug/m3', t: 1_790_000_000, v: 5 },
    { n: `${device}/air/pm2_5`, u: 'ug/m3', t: 1_790_000_000, v: 8.5 },
    { n: `${device}/air/pm10`, u: 'ug/m3', t: 1_790_000_000, v: 11 },
  ])
})

test('a reader that does not know us never takes an unset clock for now', () => {
  const { wallMs: _, ...reading } = sampleReading(0)
  assert.throws(() => resolve(rowsOf(encodePack(reading, device))), /must understand boot_/)
})

test('texts, truths, bytes and counters past 2^53 keep their kind and every digit', () => {
  const reading: Reading = {
    ...sampleReading(0),
    subject: '211000001',
    values: { note: 'ok', on: false, digest: Uint8Array.of(1, 2), energy: 2n ** 60n + 1n },
    units: { energy: 'Wh' },
  }
  const rows = resolve(rowsOf(encodePack(reading, device)))
  assert.deepEqual(
    rows.map(({ n, v, vs, vb, vd }) => [n, v ?? vs ?? vb ?? vd]),
    [
      [`${device}/air/211000001/note`, 'ok'],
      [`${device}/air/211000001/on`, false],
      [`${device}/air/211000001/digest`, Uint8Array.of(1, 2)],
      [`${device}/air/211000001/energy`, 2n ** 60n + 1n],
    ],
  )
})
