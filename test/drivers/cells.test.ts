import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decimal,
  digits,
  field,
  fieldsOf,
  numeral,
  tidy,
  wholeAt,
} from '../../drivers/nmea0183/cells.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const fields = (body: string) => fieldsOf(bytesOf(body), 0, body.length)

test('fields stand behind the address, without the blanks around them', () => {
  const found = fields('GPXXX, a ,,\tb\t,c d')
  assert.equal(found.length, 4)
  assert.deepEqual(
    [field(found, 0), field(found, 1), field(found, 2), field(found, 3)],
    ['a', '', 'b', 'c d'],
  )
  assert.equal(field(found, 4), '')
  assert.equal(fields('GPXXX').length, 0)
})

test('a decimal is the number that its digits mean, to the last bit', () => {
  const written = fc.stringMatching(/^(\d{1,25}\.?\d{0,25}|\.\d{1,25})$/)
  fc.assert(
    fc.property(written, (text) => {
      assert.equal(decimal(bytesOf(text), 0, text.length), Number(text))
    }),
    { numRuns: 2_000 },
  )
})

test('only what is written as a numeral is a number', () => {
  const numeralForm = /^[+-]?(\d+\.?\d*|\.\d+)$/
  const close = fc.string({ unit: fc.constantFrom(...'0179.+-eE x'), maxLength: 6 })
  fc.assert(
    fc.property(close, (text) => {
      const plain = text.trim()
      const expected = numeralForm.test(plain) ? Number(plain) : Number.NaN
      assert.equal(numeral(fields(`A,${text}`), 0), expected)
      const whole = /^\d+$/.test(text) ? Number(text) : Number.NaN
      assert.equal(digits(bytesOf(text), 0, text.length), whole)
    }),
    { numRuns: 2_000 },
  )
})

test('a field is read the same whatever stands beside it', () => {
  const one = fc.string({ unit: fc.constantFrom(...'01789.- \tN'), maxLength: 8 })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), (texts) => {
      const found = fields(['GPXXX', ...texts].join(','))
      assert.equal(found.length, texts.length)
      const read = texts.map((_, at) => [field(found, at), numeral(found, at), wholeAt(found, at)])
      const alone = texts.map((text) => {
        const plain = text.replace(/^[ \t]+|[ \t]+$/g, '')
        const signed = /^-?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : Number.NaN
        return [plain, signed, /^\d+$/.test(plain) ? Number(plain) : Number.NaN]
      })
      assert.deepEqual(read, alone)
      assert.deepEqual([field(found, texts.length), wholeAt(found, texts.length)], ['', Number.NaN])
    }),
    { numRuns: 1_000 },
  )
})

test('a tidy number has the nine decimals of toFixed, up to a million', () => {
  const whole = (bits: number) => fc.integer({ min: -(2 ** bits), max: 2 ** bits })
  const close = fc
    .tuple(fc.oneof(whole(40), whole(45)), fc.constantFrom(0, 0.5, -0.5, 0.499))
    .map(([billionths, off]) => (billionths + off) / 1e9)
  const any = fc.double({ noNaN: true, min: -999_999, max: 999_999 })
  fc.assert(
    fc.property(fc.oneof(close, any), (number) => {
      assert.equal(tidy(number), Number(number.toFixed(9)))
    }),
    { numRuns: 5_000 },
  )
})

test('a large number that was scaled shows no noise behind the digits that were written', () => {
  // Miles of a ship's log, as a Nexus has run them.
  assert.equal(tidy(49_626.59 * 1852), 91_908_444.68)
  assert.equal(tidy(-49_626.59 * 1852), -91_908_444.68)
  const hundredths = fc.integer({ min: 1, max: 99_999_999 })
  fc.assert(
    fc.property(hundredths, (miles) => {
      assert.equal(tidy((miles / 100) * 1852), Number((BigInt(miles) * 1852n).toString()) / 100)
    }),
  )
})
