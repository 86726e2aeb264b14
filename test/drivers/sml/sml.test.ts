import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sml } from '../../../drivers/sml/index.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { readOptions } from '../../../runtime/sense/options.ts'
import { cases, doubts, hear, sayings } from '../bench.ts'
import { bytesOf, type Case, holdMap } from '../maps.ts'
import { file, framed, type Row } from './meter.ts'

// Theirs are kWh, in code that shifts the meter's Wh; a code of ours has no *255.
holdMap(
  'sml',
  sml,
  { '129-129:199.130.3*255': ['129-129:199.130.3', 1], '1-0:1.8.1*255': ['1-0:1.8.1', 1000] },
  {
    flat: (expect) =>
      Object.fromEntries(
        Object.entries(expect as Record<string, { value0: string; unit0?: string }>).map(
          ([name, { value0, unit0 }]) => [name, unit0 === undefined ? value0 : Number(value0)],
        ),
      ),
    near: 1e-9,
  },
)

type Printed = {
  readonly obis: string
  readonly value: string | number
  readonly unit: string | null
}

test('both dumps say, value by value, what libsml printed of them', () => {
  let held = 0
  for (const one of cases<Case>('sml/cases.json').filter(({ input_file }) => input_file)) {
    const said = sayings(hear(sml, bytesOf('sml', one)))
    const printed = one.expect.values as readonly Printed[]
    const ours = said.flatMap(({ values, units }) =>
      Object.entries(values)
        .filter(([name]) => /^\d/.test(name))
        .map(([name, value]) => ({ obis: `${name}*255`, value, unit: units?.[name] ?? null })),
    )
    const theirs = printed.map(({ obis, value, unit }) => ({
      ...{ obis, unit },
      value: typeof value === 'string' ? value.replaceAll(' ', '') : value,
    }))
    assert.deepEqual(
      ours.map(({ obis, value, unit }) => ({ obis, unit, value })).slice(0, theirs.length),
      theirs,
    )
    held += theirs.length
  }
  assert.ok(held > 400)
})

const row = (value: string, more: Partial<Row> = {}): Row => ({
  code: '1-0:1.8.0*255',
  unit: 30,
  value,
  ...more,
})
const energy = (value: string, more: Partial<Row> = {}) =>
  sayings(hear(sml, file([row(value, more)])))[0]?.values['1-0:1.8.0']

test('numbers of every size and sign are exact', () => {
  assert.equal(energy('62ff'), 255)
  assert.equal(energy('52ff'), -1)
  assert.equal(energy('53fffe'), -2)
  assert.equal(energy('54fffffe'), -2)
  assert.equal(energy('64018000'), 98304)
  assert.equal(energy('560100000000', { scaler: -1 }), 429496729.6)
  assert.equal(energy('57010000000000'), 2 ** 40)
  assert.equal(energy('58ffffffffffffff'), -1)
  assert.equal(energy('690020000000000001'), 2n ** 53n + 1n)
  assert.equal(energy('69ffffffffffffffff'), 2n ** 64n - 1n)
  assert.equal(energy('69ffffffffffffffff', { scaler: 1 }), Number(10n * (2n ** 64n - 1n)))
  assert.equal(energy('590020000000000001'), 2n ** 53n + 1n)
  assert.equal(energy('59014000000000000a', { scaler: -1 }), 9007199254740993n)
  assert.equal(energy('6203', { scaler: 3 }), 3000)
  assert.equal(energy('6203', { scaler: -1 }), 0.3)
  assert.equal(energy('6203', { scaler: 100 }), undefined)
  assert.equal(energy('4201'), true)
  assert.equal(energy('01'), undefined)
})

test('numbers of any size say themselves times their scaler', () => {
  const sized = fc
    .integer({ min: 1, max: 6 })
    .chain((size) =>
      fc.tuple(
        fc.constant(size),
        fc.boolean(),
        fc.bigInt({ min: 0n, max: 2n ** BigInt(8 * size) - 1n }),
      ),
    )
  fc.assert(
    fc.property(sized, fc.integer({ min: -6, max: 3 }), ([size, signed, raw], scaler) => {
      const value = signed ? BigInt.asIntN(8 * size, raw) : raw
      const digits = raw.toString(16).padStart(2 * size, '0')
      const said = energy(`${signed ? 5 : 6}${size + 1}${digits}`, { scaler })
      if (typeof said === 'bigint') assert.equal(said, value * 10n ** BigInt(scaler))
      else assert.equal(said, Number(`${value}e${scaler}`))
    }),
  )
})

test('units are those of DLMS; one that is none of ours leaves the number alone', () => {
  const unitOf = (unit: number) =>
    sayings(hear(sml, file([row('6201', { unit })])))[0]?.units?.['1-0:1.8.0']
  assert.deepEqual([27, 29, 32, 33, 35, 44, 8, 255].map(unitOf), [
    ...['W', 'var', 'varh', 'A', 'V', 'Hz', 'deg'],
    undefined,
  ])
})

test('codes of the past, of makers and of other meters have names', () => {
  const codes = ['1-0:1.8.0*96', '129-129:199.130.3*255', '7-0:3.0.0*255', '1-0:1.8.0*1']
  const [said] = sayings(hear(sml, file(codes.map((code) => row('6201', { code })))))
  const names = Object.keys(said?.values ?? {}).filter((name) => /^\d/.test(name))
  assert.deepEqual(names, ['1-0:1.8.0_96', '129-129:199.130.3', '7-0:3.0.0', '1-0:1.8.0_1'])
})

test('a list may have more than fifteen entries', () => {
  const codes = Array.from({ length: 40 }, (_, i) => `1-0:1.8.${i}*255`)
  const [said] = sayings(hear(sml, file(codes.map((code) => row('6201', { code })))))
  assert.equal(Object.keys(said?.values ?? {}).length, 41)
})

test('times come in three ways, and in three wrong ones', () => {
  const said = (time: string, own = '01') => {
    const [one] = sayings(hear(sml, file([row('6201', { time: own })], { time })))
    return [one?.values.secIndex, one?.time]
  }
  assert.deepEqual(said('726201650000ffff'), [65535, undefined])
  assert.deepEqual(said('7262026565000000'), [undefined, '2023-09-12T06:06:56Z'])
  assert.deepEqual(said('726203736565000000530078530000'), [undefined, '2023-09-12T06:06:56Z'])
  assert.deepEqual(said('650000ffff'), [65535, undefined], 'bare, as Holley sends it')
  assert.deepEqual(said('726201450000ffff'), [65535, undefined], 'typed as a truth of four bytes')
  assert.deepEqual(said('726202736565000000530078530000'), [undefined, '2023-09-12T06:06:56Z'])
  assert.deepEqual(said('01', '650000ffff'), [65535, undefined], 'of the entry')
  assert.deepEqual(said('72620265000000ff'), [undefined, undefined], 'never set')
})

test("power of DZG's DVS74 is read as it was meant, that of its other meters as it stands", () => {
  const power = (number: number, value: string, code = '1-0:16.7.0', maker = '445a47') => {
    const server = `0b0a01${maker}${number.toString(16).padStart(10, '0')}`
    const rows = [row(value, { code: `${code}*255`, unit: 27, scaler: -2 })]
    return sayings(hear(sml, file(rows, { server })))[0]?.values[code]
  }
  for (const number of [42_000_000, 42_082_910, 48_999_999, 55_000_000, 58_999_999]) {
    assert.equal(power(number, '538025'), 328.05)
    assert.equal(power(number, '538025', '1-0:36.7.0'), 328.05)
    assert.equal(power(number, '54fecbfd'), 166983.65, 'never so small a negative')
    assert.equal(power(number, '55fffe1393'), -1260.61)
  }
  for (const number of [40_051_478, 41_999_999, 49_000_000, 54_999_999, 59_000_000, 60_694_611]) {
    assert.equal(power(number, '5386a8'), -310.64)
    assert.equal(power(number, '54fecbfd'), -788.51)
  }
  assert.equal(power(42_082_910, '538025', '1-0:16.7.0', '454d48'), -327.31)
  assert.equal(power(50_071_463, '53c60c', '1-0:36.7.0'), 507, 'WS74 has a single phase')
  assert.equal(power(50_071_463, '53c60c'), -148.36)
})

test("either CRC is taken; a message's own is told where only that of the file is right", () => {
  const rows = [row('6201')]
  assert.equal(sayings(hear(sml, file(rows, { kermit: true }))).length, 1)
  assert.equal(sayings(hear(sml, file(rows)))[0]?.unchecked, undefined)
  const [said] = sayings(hear(sml, file(rows, { badMessage: true })))
  assert.equal(said?.values['1-0:1.8.0'], 1)
  assert.equal(said?.unchecked, true)
  assert.deepEqual(doubts(hear(sml, framed(new Uint8Array()))), ['no list of values'])
  assert.deepEqual(doubts(hear(sml, framed(Uint8Array.of(0x76, 1)))), ['no SML in the frame'])
})

test('bytes that look like a mark come through, wherever they stand', () => {
  const words = fc.array(fc.constantFrom('1b', '1a', '01', 'ff'), { minLength: 0, maxLength: 14 })
  fc.assert(
    fc.property(words, words, (bytes, more) => {
      const text = (all: readonly string[]) => `0${(all.length + 1).toString(16)}${all.join('')}`
      const rows = [
        row(text(bytes), { code: '1-0:0.0.9*255' }),
        row(text(more), { code: '129-129:199.130.5*255' }),
        row('6205'),
      ]
      const [said] = sayings(hear(sml, file(rows)))
      assert.equal(said?.values['1-0:1.8.0'], 5)
      assert.equal(said?.values['1-0:0.0.9'], bytes.length === 0 ? undefined : bytes.join(''))
    }),
  )
})

const frame = file([
  row('6201', { status: '6401018 0'.replace(' ', '') }),
  row('65000000ff', { code: '1-0:2.8.0*255' }),
])

test('changed files say nothing but the truth', () => {
  const truth = sayings(hear(sml, frame))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (changes) => {
        const changed = frame.slice()
        for (const [at, byte] of changes) changed[at] = byte
        for (const said of sayings(hear(sml, changed))) assert.deepEqual([said], truth)
      },
    ),
    { numRuns: 500 },
  )
})

test('files read the same in all pieces, among noise, and behind one that was cut off', () => {
  const noise = fc.uint8Array({ maxLength: 30 })
  const once = sayings(hear(sml, frame))
  fc.assert(
    fc.property(
      noise,
      fc.nat(frame.length - 1),
      fc.array(fc.integer({ min: 1, max: 90 })),
      (some, cut, sizes) => {
        const line = Uint8Array.of(...some, ...frame, ...some, ...frame.subarray(0, cut), ...frame)
        const work = decoder(sml, readOptions(sml))
        const heard = []
        let at = 0
        for (const size of sizes) {
          heard.push(...work.push(line.slice(at, at + size)))
          at += size
        }
        heard.push(...work.push(line.slice(at)), ...work.finish())
        assert.deepEqual(sayings(heard), [...once, ...once])
      },
    ),
  )
})

test('any content behind a right CRC is read or doubted, and never hangs', () => {
  const heads = fc.constantFrom(0x76, 0x77, 0x72, 0x63, 0x01, 0x00, 0xf1, 0x8f, 0x0b, 0x62, 0xff)
  fc.assert(
    fc.property(fc.array(fc.oneof(heads, fc.nat(255)), { maxLength: 200 }), (content) => {
      const heard = hear(sml, framed(Uint8Array.from(content)))
      assert.ok(heard.length <= 1)
    }),
    { numRuns: 500 },
  )
})

test('the offer of a meter names no more fields than terms may have', () => {
  assert.ok(Object.values(sml.fields).filter(({ detail }) => !detail).length <= 256)
})
