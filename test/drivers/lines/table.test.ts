import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lines } from '../../../drivers/lines/index.ts'
import { sensorMistakes } from '../../../runtime/config/sensorcheck.ts'
import { readOptions } from '../../../runtime/sense/options.ts'
import { doubts, hear, sayings } from '../bench.ts'

type Options = Record<string, unknown>
const values = (text: string, table: unknown, options: Options = {}) =>
  sayings(hear(lines, text, { ...options, table })).map((said) => said.values)
const why = (text: string, table: unknown) => doubts(hear(lines, text, { table }))

const climate = {
  fields: {
    temperature: { from: 't', unit: 'Cel' },
    humidity: { from: 'h', unit: '%RH' },
  },
}

test('fields have the names and units of the table, whatever the line calls them', () => {
  for (const text of [
    't=23.5C,h=40%\n',
    '{"h":"40 %","t":23.5}\n',
    't,x,h\n23.5,9,40\n',
    'h: 40  t: 23.5 °C\n',
  ]) {
    assert.deepEqual(values(text, climate), [{ temperature: 23.5, humidity: 40 }], text)
  }
})

test('another unit than that of the table, and what is no number, make the whole line a doubt', () => {
  for (const text of ['t=73F h=40\n', 't=23.5 h=40hPa\n', 't=2x.5 h=40\n', '{"t":true,"h":40}\n']) {
    assert.deepEqual(why(text, climate), ['bad value'], text)
  }
})

test('columns are named by the table or counted, and a line of another length is a doubt', () => {
  const text = '0,0,0\n1,2,3\n1,2\n4,5,6\n'
  const named = { columns: ['t', 'x', 'h'], ...climate }
  assert.deepEqual(values(text, named), [
    { temperature: 1, humidity: 3 },
    { temperature: 4, humidity: 6 },
  ])
  const counted = { fields: { h: { from: 3 } } }
  assert.deepEqual(values(text.replace('1,2\n', ''), counted), [{ h: 3 }, { h: 6 }])
  assert.deepEqual(why(text, named), ['perhaps half a line', 'wrong number of cells'])
})

test('numbers are scaled, shifted and none by the table', () => {
  const table = {
    fields: {
      U: { from: 'bat.mv', unit: 'V', scale: 0.001 },
      t: { from: 'f', unit: 'Cel', scale: 5 / 9, offset: -160 / 9, none: [-196.6] },
      n: { type: 'integer' },
      door: { type: 'boolean' },
      state: { type: 'text', none: ['?'] },
    },
  }
  const text = '{"bat":{"mv":3712},"f":212,"n":7,"door":"on","state":"idle"}\n'
  assert.deepEqual(values(text, table), [{ U: 3.712, t: 100, n: 7, door: true, state: 'idle' }])
  assert.deepEqual(values('{"f":-196.6,"n":1,"state":"?"}\n', table), [{ n: 1 }])
  assert.deepEqual(why('{"n":1.5}\n', table), ['bad value'])
  assert.deepEqual(why('{"state":"\\ud800"}\n', table), ['bad value'])
})

test('lines that do not begin as the table says are passed over', () => {
  const table = { start: 'DATA:', ...climate }
  const heard = hear(lines, 'boot t=9\nDATA: t=1 h=2\nWiFi t=8 h=7\n', { table })
  assert.deepEqual(sayings(heard).length, 1)
  assert.deepEqual(doubts(heard), [])
})

test('several that send through one are told apart by their subject', () => {
  const table = { subject: 'node', ...climate }
  const said = sayings(hear(lines, 'node=a7 t=1\nnode=b2 t=2\n', { table }))
  assert.deepEqual(
    said.map(({ subject }) => subject),
    ['a7', 'b2'],
  )
  assert.deepEqual(why('node=a/7 t=1\nt=2\n', table), ['bad subject', 'bad subject'])
})

test('the terms have the fields of the table, and that they are unchecked', () => {
  const table = { fields: { a: { unit: 'V', title: 'cell' }, b: { detail: true } } }
  const options = readOptions(lines, { table, every: '10min' })
  assert.deepEqual(lines.fieldsWith?.(options), ['a', 'unchecked'])
  const under = lines.under?.(options)
  assert.deepEqual(under?.fields.a, { title: 'cell', type: 'number', unit: 'V' })
  assert.equal(under?.silenceMs, 1_800_000)
  assert.deepEqual(lines.fieldsWith?.(readOptions(lines)), ['unchecked'])
})

test('mistakes in a table are told by their place', () => {
  const table = {
    columns: ['t', 'h', 't'],
    subject: 'node',
    fields: {
      'a/b': { from: 't' },
      unchecked: { from: 't' },
      x: { from: 'p' },
      deep: { from: 9 },
      t: { unit: 'Celsius' },
    },
  }
  const check = (option: unknown) => {
    const sensor = { name: 'shed', driver: 'lines', port: '/dev/x', options: { table: option } }
    const found = sensorMistakes({ sensors: [sensor] } as never, '.')
    return found.map(({ path }) => path.slice(4).join('.'))
  }
  assert.deepEqual(check(table), ['fields.t.unit'])
  const { t: _, ...fields } = table.fields
  assert.deepEqual(check({ ...table, fields }).sort(), [
    'columns.2',
    'fields.a/b',
    'fields.deep.from',
    'fields.unchecked',
    'fields.x.from',
    'subject',
  ])
  assert.deepEqual(
    check({ fields: { a: { type: 'text', unit: 'V' }, b: { type: 'integer', scale: 0.1 } } }),
    ['fields.a.unit', 'fields.b.scale'],
  )
  assert.deepEqual(check({ fields: {} }), ['fields'])
  assert.deepEqual(check(climate), [])
})
