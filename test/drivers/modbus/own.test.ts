/** Frames that no book knows, words in another order, and what is written to all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withCrc } from '../../../drivers/modbus/crc.ts'
import { modbus } from '../../../drivers/modbus/index.ts'
import { ownSize } from '../../../drivers/modbus/own.ts'
import { encodeRequest } from '../../../drivers/modbus/request.ts'
import { answerShape } from '../../../drivers/modbus/shape.ts'
import { cutter } from '../../../runtime/sense/frame.ts'
import { doubts, hear, sayings } from '../bench.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

test('functions that makers have of their own are whole frames, and doubts', () => {
  const voltage = '01 04 00 00 00 0a 70 0d'
  // PZEM-004T v3: reset and calibration, as its manual has them, and why not; and a longer one.
  for (const own of ['01 42 80 11', 'f8 41 37 21 b7 78', '01 42 00 11 22 33 44 55 66 89 e4']) {
    const heard = hear(modbus, Buffer.concat([bytes(own), bytes(voltage)]))
    assert.deepEqual(doubts(heard), ['function of its own'], own)
    assert.equal(sayings(heard).length, 1)
  }
  assert.deepEqual(doubts(hear(modbus, withCrc([0xf8, 0xc1, 4]))), ['server device failure'])
})

test('an answer with half a register is a doubt, and takes nothing from the next', () => {
  // Meters of E-REDES have registers of one byte, such as the tariff.
  const heard = hear(
    modbus,
    Buffer.concat([
      bytes('01 04 00 0b 00 01 40 08'),
      withCrc([1, 4, 1, 3]),
      bytes('01 04 00 0b 00 01 40 08'),
      withCrc([1, 4, 2, 0, 3]),
    ]),
  )
  assert.deepEqual(doubts(heard), ['odd number of bytes'])
  assert.deepEqual(sayings(heard).at(-1)?.values, { r11: 3 })
})

test('a frame that no book knows is only one whose CRC holds, and never a long one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
      const size = ownSize(noise)
      if (size === 'more' || size === 0) return
      assert.ok(size <= noise.length)
      assert.deepEqual(noise.subarray(0, size), withCrc([...noise.subarray(0, size - 2)]))
    }),
  )
  assert.equal(ownSize(new Uint8Array(40).fill(0x42)), 0)
})

test('what is written to all nobody answers: the same to one slave is a request', () => {
  const told = sayings(hear(modbus, bytes('00 06 00 07 00 01 f8 1a 01 06 00 07 00 01 f9 cb')))
  assert.deepEqual(
    told.map(({ subject, values }) => [subject, values.asks]),
    [
      ['0', 6],
      ['1', 6],
    ],
  )
})

test('a row of registers in the order of its maker', () => {
  const rows = [
    ['abcd', '43663334', 'f32'],
    ['cdab', '33344366', 'f32'],
    ['badc', '66433433', 'f32'],
    ['dcba', '34336643', 'f32'],
  ] as const
  for (const [order, hex, type] of rows) {
    const line = Buffer.concat([
      bytes('01 04 20 00 00 02 7a 0b'),
      withCrc([1, 4, 4, ...bytes(hex)]),
    ])
    const [, answer] = sayings(hear(modbus, line, { order, type }))
    assert.equal(Math.round(10 * Number(answer?.values.r8192)), 2302, order)
  }
})

test('an adapter that hears what it sends itself costs no doubt', () => {
  // The address of the question looks like the length of the answer.
  for (const [address, count] of [
    [0x0402, 2],
    [0x0201, 1],
    [0, 2],
  ] as const) {
    const asked = { function: 4, address, count } as const
    const sent = encodeRequest(1, asked)
    const values = Array(2 * count).fill(7)
    const answer = withCrc([1, 4, 2 * count, ...values])
    const cut = cutter(answerShape(1, asked))
    const found = [...sent, ...answer].flatMap((byte) => cut.push(Uint8Array.of(byte)))
    assert.deepEqual(
      found.map(({ flaw }) => flaw),
      [undefined],
    )
  }
})

test('a meter of direct current, and one that counts both ways, as their answers were printed', () => {
  const heard = (profile: string, ...line: readonly string[]) =>
    sayings(hear(modbus, Buffer.concat(line.map(bytes)), { profile })).at(-1)?.values
  assert.deepEqual(
    heard(
      'pzem-017',
      '01 04 00 00 00 08 f1 cc',
      '01 04 10 04 95 00 00 00 00 00 00 00 02 00 00 00 00 00 00 21 40',
    ),
    { voltage: 11.73, current: 0, power: 0, energy: 2, over_voltage: false, under_voltage: false },
  )
  assert.deepEqual(
    heard(
      'dds238',
      '01 03 24 00 00 1c 7b 00 00 00 00 00 00 00 00 00 00 00 00 00 00 04 f3 00 00 17 88 09 77 01 a6 03 f8 00 70 03 e1 13 8a 63 ed',
    ),
    {
      ...{ '1-0:15.8.0': 72.91, '1-0:2.8.0': 12.67, '1-0:1.8.0': 60.24, '1-0:32.7.0': 242.3 },
      ...{ '1-0:31.7.0': 4.22, '1-0:16.7.0': 1016, reactive_power: 112, '1-0:13.7.0': 0.993 },
      ...{ '1-0:14.7.0': 50.02 },
    },
  )
})

test('a frame of a known function that asks for what nobody may is a doubt of its own', () => {
  // 23 that would read nothing; 43 that carries what is no identity; an exception of the older book.
  const none = withCrc([3, 23, 0, 3, 0, 0, 0, 14, 0, 1, 2, 0, 255])
  assert.deepEqual(doubts(hear(modbus, none)), ['no frame of a known form'])
  const carried = withCrc([3, 43, 10, 1, 2, 3, 4])
  assert.deepEqual(doubts(hear(modbus, carried)), ['function of its own'])
  assert.deepEqual(doubts(hear(modbus, withCrc([3, 0x81, 7]))), ['negative acknowledge'])
})
