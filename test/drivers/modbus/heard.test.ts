/** A bus that is only heard: who asks what of whom, what is written, and answers to questions nobody heard. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, encodeAnswer } from '../../../drivers/modbus/answer.ts'
import { modbus } from '../../../drivers/modbus/index.ts'
import { encodeRequest, type Request } from '../../../drivers/modbus/request.ts'
import { doubts, hear, sayings } from '../bench.ts'

test('a line of many slaves is told question by question, and each answer by its own', () => {
  const line = [
    encodeRequest(1, { function: 3, address: 107, count: 2 }),
    encodeAnswer(1, { function: 3, registers: [7, 8] }),
    encodeRequest(2, { function: 3, address: 9, count: 2 }),
    // Slave 2 is dumb; nothing of it must stand in for slave 3.
    encodeRequest(3, { function: 1, address: 19, count: 3 }),
    encodeAnswer(3, { function: 1, bits: Uint8Array.of(5) }),
  ]
  assert.deepEqual(told(...line), [
    { of: '1', asks: 3, address: 107, count: 2 },
    { of: '1', r107: 7, r108: 8 },
    { of: '2', asks: 3, address: 9, count: 2 },
    { of: '3', asks: 1, address: 19, count: 3 },
    { of: '3', b19: true, b20: false, b21: true },
  ])
})

test('what is written is told, and that it was', () => {
  const rows: readonly [Request, Answer, string][] = [
    [{ function: 5, address: 172, value: true }, { function: 5, address: 172, value: true }, 'on'],
    [{ function: 6, address: 1, value: 3 }, { function: 6, address: 1, value: 3 }, '3'],
    [
      { function: 15, address: 19, values: [true, false] },
      { function: 15, address: 19, count: 2 },
      'on off',
    ],
    [
      { function: 16, address: 1, values: [10, 258] },
      { function: 16, address: 1, count: 2 },
      '10 258',
    ],
    [
      { function: 22, address: 4, and: 242, or: 37 },
      { function: 22, address: 4, and: 242, or: 37 },
      'and 242 or 37',
    ],
  ]
  for (const [asked, said, writes] of rows) {
    const [first, second] = told(encodeRequest(9, asked), encodeAnswer(9, said))
    assert.equal(first?.writes, writes)
    assert.deepEqual([first?.asks, first?.of], [asked.function, '9'])
    assert.deepEqual([second?.answers, second?.of], [asked.function, '9'])
  }
  const both = { address: 3, count: 1, writeAddress: 14, values: [255] }
  assert.deepEqual(told(encodeRequest(1, { function: 23, ...both })), [
    { of: '1', asks: 23, address: 3, count: 1, writes: '255' },
  ])
  const many = Array.from({ length: 120 }, (_, i) => i)
  const [long] = told(encodeRequest(1, { function: 16, address: 0, values: many }))
  assert.match(String(long?.writes), /^0 1 2 .{50,60}…$/)
})

test('an answer to a question that nobody heard is told in its order, by the type that is named', () => {
  const two = encodeAnswer(17, { function: 3, registers: [0x4366, 0x3334] })
  assert.deepEqual(told(two), [{ of: '17', w0: 0x4366, w1: 0x3334 }])
  const [{ said } = assert.fail()] = hear(modbus, two, { type: 'f32' })
  assert.ok(said.ok && Math.abs(Number(said.values.w0) - 230.2) < 1e-3)
  const inputs = encodeAnswer(17, { function: 2, bits: Uint8Array.of(0x81, 1) })
  assert.deepEqual(
    [told(inputs)[0]?.i0, told(inputs)[0]?.i6, told(inputs)[0]?.i7],
    [true, false, true],
  )
  const [placed] = sayings(hear(modbus, two, { address: 40, count: 2 }))
  assert.deepEqual(placed?.values, { r40: 0x4366, r41: 0x3334 })
  // With a table, nobody can say which of its registers these are.
  assert.deepEqual(doubts(hear(modbus, two, { profile: 'sdm630' })), ['answer without its request'])
})

test('more bits than a table may have are all told', () => {
  const asked = encodeRequest(1, { function: 1, address: 100, count: 2000 })
  const bits = new Uint8Array(250).fill(0xa5)
  const [, read] = told(asked, encodeAnswer(1, { function: 1, bits }))
  assert.equal(Object.keys(read ?? {}).length, 2001)
  assert.deepEqual([read?.b100, read?.b101, read?.b2099], [true, false, true])
})

test('what is no register is told too: files, queues, counters, and what a device is', () => {
  const pieces = [{ file: 4, record: 1, count: 2 }]
  assert.deepEqual(
    told(
      encodeRequest(1, { function: 20, pieces }),
      encodeAnswer(1, { function: 20, found: [[0xdfe, 32]] }),
    ),
    [
      { of: '1', asks: 20, records: '4:1+2' },
      { of: '1', 'f4.1': 0xdfe, 'f4.2': 32 },
    ],
  )
  assert.deepEqual(told(encodeAnswer(1, { function: 24, registers: [440, 4740] })), [
    { of: '1', w0: 440, w1: 4740 },
  ])
  assert.deepEqual(told(encodeAnswer(1, { function: 11, status: 0xffff, events: 264 })), [
    { of: '1', answers: 11, status: 0xffff, events: 264 },
  ])
  const text = (words: string) => new TextEncoder().encode(words)
  const objects = [
    { id: 0, text: text('Eastron') },
    { id: 2, text: text('V1.0\u0001') },
    { id: 128, text: text('own') },
  ]
  assert.deepEqual(told(encodeAnswer(1, { function: 43, code: 1, conformity: 1, objects })), [
    { of: '1', answers: 43, vendor: 'Eastron', revision: 'V1.0.', object_128: 'own' },
  ])
})

test('an adapter that hears itself repeats the question, and the answer is read all the same', () => {
  const asked = encodeRequest(1, { function: 4, address: 0, count: 2 })
  const said = encodeAnswer(1, { function: 4, registers: [0x4366, 0x3334] })
  const heard = hear(modbus, Buffer.concat([asked, asked, said]), { profile: 'sdm120' })
  assert.equal(sayings(heard).at(-1)?.values['1-0:32.7.0'], 230.20001220703125)
})

test('a table is for the one unit that is named, and others on the line are told as rows', () => {
  const pair = (of: number) => [
    encodeRequest(of, { function: 4, address: 0, count: 2 }),
    encodeAnswer(of, { function: 4, registers: [0x4366, 0x3334] }),
  ]
  const line = Buffer.concat([...pair(1), ...pair(2)])
  const read = (options: Record<string, unknown>) =>
    sayings(hear(modbus, line, { profile: 'sdm120', ...options }))
      .filter(({ values }) => !('asks' in values))
      .map(({ values }) => Object.keys(values)[0])
  assert.deepEqual(read({}), ['1-0:32.7.0', '1-0:32.7.0'])
  assert.deepEqual(read({ unit: 2 }), ['r0', '1-0:32.7.0'])
})

test('who is asked as unit 0 for its registers answers as itself', () => {
  const asked = encodeRequest(0, { function: 3, address: 2, count: 1 })
  assert.deepEqual(told(asked, encodeAnswer(5, { function: 3, registers: [5] })).at(-1), {
    ...{ of: '5', r2: 5 },
  })
})

test('every refusal is told in the words of the specification', () => {
  const words = [1, 2, 3, 4, 5, 6, 8, 10, 11].map((code) => {
    const [doubt] = doubts(hear(modbus, encodeAnswer(1, { function: 'exception', of: 3, code })))
    return doubt
  })
  assert.deepEqual(words, [
    ...['illegal function', 'illegal data address', 'illegal data value', 'server device failure'],
    ...['acknowledge', 'server device busy', 'memory parity error', 'gateway path unavailable'],
    'gateway target device failed to respond',
  ])
  const [one] = hear(modbus, encodeAnswer(17, { function: 'exception', of: 3, code: 99 }))
  assert.deepEqual(one?.said, {
    ...{ ok: false, doubt: 'exception of its own', detail: 'unit 17, function 3, code 99' },
  })
})

function told(...frames: readonly Uint8Array[]): Record<string, unknown>[] {
  const heard = hear(modbus, Buffer.concat(frames))
  return sayings(heard).map(({ subject, values }) => ({ of: subject, ...values }))
}
