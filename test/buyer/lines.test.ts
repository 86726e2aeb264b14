import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csv, ndjson, type Placed } from '../../runtime/buyer/lines.ts'
import type { Value } from '../../runtime/wire/reading.ts'
import { device, sampleReading } from '../wire/sample.ts'

const placed = (values: Readonly<Record<string, Value>>): Placed => ({
  device,
  generation: 1,
  epoch: 7,
  index: 0,
  reading: { ...sampleReading(0), values },
})

test('a counter past 2^53 keeps every digit in a line of NDJSON', () => {
  const line = ndjson(placed({ total: 2n ** 64n - 1n, raw: Uint8Array.of(1, 255) }))
  assert.match(line, /"total":18446744073709551615,"raw":"0x01ff"/)
  assert.equal(JSON.parse(line).epoch, 7)
  assert.equal(JSON.parse(line).time, '2026-09-21T14:13:20.000Z')
})

test('CSV has one column a field, and an empty cell where a reading has none', () => {
  const table = csv(['pm1', 'note', 'pm1'])
  assert.match(table.header, /^device,stream,.*,monotonic_ms,pm1,note$/)
  assert.match(table.line(placed({ pm1: 5 })), /,10000,5,$/)
})

test('whatever text a field holds, its cell reads back as RFC 4180 has it', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'a', 'é') }), (note) => {
      const line = csv(['note']).line(placed({ note }))
      const cell = line.slice(line.indexOf(',10000,') + ',10000,'.length)
      const read = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
      assert.equal(read, note)
    }),
  )
})
