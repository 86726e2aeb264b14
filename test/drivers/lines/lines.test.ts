import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lines } from '../../../drivers/lines/index.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { readOptions } from '../../../runtime/sense/options.ts'
import { doubts, hear, sayings } from '../bench.ts'

type Options = Record<string, unknown>
const values = (text: string, options: Options = {}) =>
  sayings(hear(lines, text, options)).map((said) => said.values)
const one = (text: string, options: Options = {}) => {
  const [first, ...more] = values(text, options)
  assert.deepEqual(more, [])
  return first
}
const why = (text: string, options: Options = {}) => doubts(hear(lines, text, options))

test('JSON is read by where things stand in it, and every saying is unchecked', () => {
  const text =
    '{"Time":"2024-01-01T00:00:00","BME280":{"Temperature":21.5,"ok":true},"acc":[1,-2]}\r\n'
  const [said] = sayings(hear(lines, text))
  assert.deepEqual(said?.values, {
    'BME280.Temperature': 21.5,
    'BME280.ok': true,
    'acc.0': 1,
    'acc.1': -2,
  })
  assert.equal(said?.unchecked, true)
})

test('whole numbers past 2^53 stay exact, and past 64 bits are none', () => {
  const big = '18446744073709551615'
  assert.deepEqual(one(`{"n":${big},"over":${big}0,"low":-9223372036854775808}\n`), {
    n: 18446744073709551615n,
    low: -9223372036854775808n,
  })
  assert.deepEqual(one(`n=${big};m=9007199254740993\n`), {
    n: 2n ** 64n - 1n,
    m: 9007199254740993n,
  })
})

test('pairs are found as sketches print them', () => {
  for (const text of [
    't=23.5,h=40',
    't:23.5;h:40',
    't = 23.5 h = 40',
    't:23.5\th:40',
    't: 23.5 | h: "40"',
  ]) {
    assert.deepEqual(one(`${text}\n`), { t: 23.5, h: 40 }, text)
  }
})

test('units behind numbers are taken, and one that is not known is part of the name', () => {
  const text =
    'Humidity: 45.00%  Temperature: 23.00°C 73.40°F  Heat index: 22.76 °C\nU: 3712mV I: 4 foo\n'
  const said = sayings(hear(lines, text))
  assert.deepEqual(
    said.map((saying) => [saying.values, saying.units]),
    [
      [
        { Humidity: 45, Temperature: 23, Heat_index: 22.76 },
        { Humidity: '/100', Temperature: 'Cel', Heat_index: 'Cel' },
      ],
      [{ U: 3712, I_foo: 4 }, { U: 'mV' }],
    ],
  )
  // A degree sign as an older sketch has it, in Latin-1.
  assert.deepEqual(sayings(hear(lines, Buffer.from('t: 5 \xb0C\n', 'latin1')))[0]?.units, {
    t: 'Cel',
  })
})

test('a decimal comma is one, between keys and where something else parts the cells', () => {
  assert.deepEqual(one('t=23,5,h=40,1\n'), { t: 23.5, h: 40.1 })
  assert.deepEqual(values('t;h\n23,5;40,1\n'), [{ t: 23.5, h: 40.1 }])
  assert.deepEqual(values('t,h\n"23,5","40,1"\n'), [{ t: 23.5, h: 40.1 }])
  assert.deepEqual(values('\n23,5 40,1\n', { decimal: 'comma' }).length, 0, 'the first may be half')
  assert.deepEqual(values('0 0\n23,5 40,1\n', { decimal: 'comma' }), [{ c1: 23.5, c2: 40.1 }])
  assert.deepEqual(why('t=1.234,h=x\n', { decimal: 'comma' }), ['no value'])
})

test('nan, inf, null and empty cells are absent, in every format', () => {
  for (const none of ['nan', 'NaN', 'inf', '-inf', 'ovf', 'null', '--', '']) {
    assert.deepEqual(one(`a=1;t=${none}\n`), { a: 1 }, none)
    assert.deepEqual(values(`a,t\n1,${none}\n`), [{ a: 1 }], none)
  }
  for (const none of ['nan', 'NaN', 'inf', '-inf', 'null', '"nan"', '""', '1e999']) {
    assert.deepEqual(one(`{"a":1,"t":${none},"s":"in nan and inf"}\n`), { a: 1 }, none)
  }
  assert.deepEqual(why('t=nan,h=nan\n'), ['no value'])
})

test('a header names the columns, comes again after a reset, and is not thrown over by a message', () => {
  const text = 'temp (C),hum\n1,2\nWiFi lost, retrying\n3,4\ntemp (C),hum\n5,6\n'
  assert.deepEqual(values(text), [
    { temp_C: 1, hum: 2 },
    { temp_C: 3, hum: 4 },
    { temp_C: 5, hum: 6 },
  ])
  assert.deepEqual(values('Sensor ready\n1 2\n'), [{ c1: 1, c2: 2 }])
})

test('half lines are no readings: at the start, at the end, with cells missing', () => {
  assert.deepEqual(why('3.5,40\n'), ['perhaps half a line'], 'it was 23.5')
  assert.deepEqual(values('3.5,40\n23.6,41\n'), [{ c1: 23.6, c2: 41 }])
  assert.deepEqual(why('t=23.5\nt=2'), ['half a line'])
  assert.deepEqual(one('{"t":23.5}'), { t: 23.5 }, 'JSON shows that it is whole')
  assert.deepEqual(why('{"t":23.5,"h'), ['half a line'])
  assert.deepEqual(why('{"t":23.5,"h\n'), ['broken JSON'])
  assert.deepEqual(why('a,b\n1,2\n1\n1,2\n').slice(0, 1), ['wrong number of cells'])
  const table = { fields: { t: {}, rest: {} } }
  assert.deepEqual(why('t=5\n', { table }), ['perhaps half a line'], 'it may have been rest=5')
})

test('once JSON was heard nothing else is read', () => {
  assert.deepEqual(why('{"t":1}\nheap: 23000\n{"t":2}\n'), ['not understood'])
})

test('what is no text is a doubt, and a line without end is one doubt however long it is', () => {
  assert.deepEqual(why('t=\u00015\n'), ['not text'])
  const text = `t=1\n${'x'.repeat(20_000)} t=9\nt=2\n`
  assert.deepEqual(values(text), [{ t: 1 }, { t: 2 }])
  assert.deepEqual(why(text), ['line too long'])
})

test('sentences and telegrams of other sensors are not taken for columns', () => {
  const other = [
    '$GPGGA,104113.00,5327.03557,N,00214.42234,W,1,05,8.68,65.4,M,48.5,M,,*68',
    '1-0:1.8.1(000123.456*kWh)',
    'LOAD\tON',
    'V\t12540',
    'PPV\t5',
  ]
  assert.deepEqual(values(`${other.join('\r\n')}\r\n`), [])
})

test('any lines, dealt in any way, say the same', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '{"t":1.5}',
      't=2,5;h=3',
      'a,b',
      '1,2',
      '3,4',
      'x'.repeat(5_000),
      '{"t":',
      '\u0002',
    ),
    fc.string({ maxLength: 40 }),
  )
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.array(fc.nat(900), { maxLength: 9 }),
      (all, cuts) => {
        const bytes = new TextEncoder().encode(all.map((text) => `${text}\n`).join(''))
        const work = decoder(lines, readOptions(lines))
        const heard = []
        let from = 0
        for (const size of cuts) {
          heard.push(...work.push(bytes.subarray(from, from + size)))
          from += size
        }
        heard.push(...work.push(bytes.subarray(from)), ...work.finish())
        assert.deepEqual(heard, hear(lines, all.map((text) => `${text}\n`).join('')))
      },
    ),
    { numRuns: 200 },
  )
})
