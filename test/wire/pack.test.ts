import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hex } from '../../runtime/wire/bytes.ts'
import { packEncoder } from '../../runtime/wire/pack.ts'
import { encodePack, type Reading } from '../../runtime/wire/reading.ts'

const device = `0x${'5a'.repeat(20)}` as const

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 0.5, 23.4),
)
const value = fc.oneof(
  number,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.boolean(),
  fc.string(),
  fc.uint8Array({ maxLength: 300 }),
)
const name = fc.oneof(
  { weight: 9, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,12}$/) },
  // What every object has of its own accord.
  { weight: 1, arbitrary: fc.constantFrom('constructor', 'toString', 'valueOf') },
)

const reading: fc.Arbitrary<Reading> = fc
  .record({
    stream: fc.constantFrom('air', 'gps.rmc'),
    subject: fc.option(
      name.filter((text) => !text.includes(':')),
      { nil: undefined },
    ),
    monotonicMs: fc.nat({ max: 2 ** 45 }),
    wallMs: fc.option(fc.integer({ min: 2 ** 39, max: 2 ** 42 }), { nil: undefined }),
    fields: fc.uniqueArray(
      fc.tuple(name, value, fc.constantFrom(undefined, 'ug/m3', 'Cel', 'count')),
      {
        minLength: 1,
        maxLength: 30,
        selector: ([field]) => field,
      },
    ),
  })
  .map(({ stream, subject, monotonicMs, wallMs, fields }) => ({
    stream,
    ...(subject === undefined ? {} : { subject }),
    boot: '0123456789abcdef'.repeat(2),
    monotonicMs,
    ...(wallMs === undefined ? {} : { wallMs }),
    values: Object.fromEntries(fields.map(([field, held]) => [field, held])),
    units: Object.fromEntries(
      fields.flatMap(([field, , unit]) => (unit === undefined ? [] : [[field, unit]])),
    ),
  }))

test('the quick encoder writes the bytes of the plain one', () => {
  const encode = packEncoder(device)
  fc.assert(
    fc.property(reading, (one) => {
      assert.equal(hex(encode(one)), hex(encodePack(one, device)))
    }),
    { numRuns: 2000 },
  )
})

test('a pack is not touched by the next one', () => {
  const encode = packEncoder(device)
  const base = { stream: 'air', boot: '0'.repeat(32), monotonicMs: 1, units: {} }
  const first = encode({ ...base, values: { a: 1 } })
  const before = hex(first)
  encode({ ...base, values: { b: 2 } })
  assert.equal(hex(first), before)
})
