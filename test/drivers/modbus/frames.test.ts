import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Answer,
  answerSize,
  answers,
  decodeAnswer,
  encodeAnswer,
  expectedSize,
} from '../../../drivers/modbus/answer.ts'
import { crcHolds, withCrc } from '../../../drivers/modbus/crc.ts'
import {
  decodeRequest,
  encodeRequest,
  type Request,
  requestSize,
} from '../../../drivers/modbus/request.ts'
import { answerShape, lineShape } from '../../../drivers/modbus/shape.ts'
import { cutter } from '../../../runtime/sense/frame.ts'

// Records as the code makes them, with a prototype.
const record: typeof fc.record = (model: object, more: object = {}) =>
  fc.record(model as never, { ...more, noNullPrototype: true } as never)
const word = fc.nat(0xffff)
const words = (most: number) => fc.array(word, { minLength: 1, maxLength: most })
const bytes = (most: number) => fc.uint8Array({ minLength: 1, maxLength: most })
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 4 })
const written = () => some(record({ file: word, record: word, values: words(20) }))
const reads = <const C extends number>(code: C, most: number) =>
  record({
    function: fc.constant(code),
    address: word,
    count: fc.integer({ min: 1, max: most }),
  })

const request: fc.Arbitrary<Request> = fc.oneof(
  reads(1, 2000),
  reads(2, 2000),
  reads(3, 125),
  reads(4, 125),
  record({ function: fc.constant(5 as const), address: word, value: fc.boolean() }),
  record({ function: fc.constant(6 as const), address: word, value: word }),
  record({ function: fc.constantFrom(7 as const, 11 as const, 12 as const, 17 as const) }),
  record({ function: fc.constant(8 as const), code: word, data: word }),
  record({
    function: fc.constant(20 as const),
    pieces: some(record({ file: word, record: word, count: fc.integer({ min: 1, max: 20 }) })),
  }),
  record({ function: fc.constant(21 as const), pieces: written() }),
  record({ function: fc.constant(24 as const), address: word }),
  record({
    function: fc.constant(15 as const),
    address: word,
    values: fc.array(fc.boolean(), { minLength: 1, maxLength: 1968 }),
  }),
  record({ function: fc.constant(16 as const), address: word, values: words(123) }),
  record({ function: fc.constant(22 as const), address: word, and: word, or: word }),
  record({
    function: fc.constant(23 as const),
    address: word,
    count: fc.integer({ min: 1, max: 125 }),
    writeAddress: word,
    values: words(121),
  }),
  record({
    function: fc.constant(43 as const),
    code: fc.integer({ min: 1, max: 4 }),
    object: fc.nat(255),
  }),
)

const answer: fc.Arbitrary<Answer> = fc.oneof(
  record({ function: fc.constantFrom(1 as const, 2 as const), bits: bytes(250) }),
  record({
    function: fc.constantFrom(3 as const, 4 as const, 23 as const),
    registers: words(125),
  }),
  record({ function: fc.constant(5 as const), address: word, value: fc.boolean() }),
  record({ function: fc.constant(6 as const), address: word, value: word }),
  record({ function: fc.constant(7 as const), status: fc.nat(255) }),
  record({ function: fc.constant(8 as const), code: word, data: word }),
  record({ function: fc.constant(11 as const), status: word, events: word }),
  record({
    function: fc.constant(12 as const),
    status: word,
    events: word,
    messages: word,
    log: fc.uint8Array({ maxLength: 64 }),
  }),
  record({ function: fc.constant(20 as const), found: some(words(20)) }),
  record({ function: fc.constant(21 as const), pieces: written() }),
  record({ function: fc.constant(24 as const), registers: words(31) }),
  record({ function: fc.constantFrom(15 as const, 16 as const), address: word, count: word }),
  record({ function: fc.constant(17 as const), id: bytes(250) }),
  record({ function: fc.constant(22 as const), address: word, and: word, or: word }),
  record(
    {
      function: fc.constant(43 as const),
      code: fc.integer({ min: 1, max: 4 }),
      conformity: fc.nat(255),
      next: fc.nat(255),
      objects: fc.array(record({ id: fc.nat(255), text: bytes(40) }), { maxLength: 5 }),
    },
    { requiredKeys: ['function', 'code', 'conformity', 'objects'] },
  ),
  record({
    function: fc.constant('exception' as const),
    of: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43),
    code: fc.nat(255),
  }),
)

const unit = fc.nat(255)

test('every request is read back as it was written, and tells its size', () => {
  fc.assert(
    fc.property(unit, request, (of, asked) => {
      const frame = encodeRequest(of, asked)
      assert.deepEqual(decodeRequest(frame), { unit: of, request: asked })
      assert.equal(requestSize(frame), frame.length)
      for (let cut = 1; cut < frame.length; cut += 1) {
        const size = requestSize(frame.subarray(0, cut))
        assert.ok(size === 'more' || size === frame.length)
      }
    }),
  )
})

test('every answer is read back as it was written, and tells its size', () => {
  fc.assert(
    fc.property(unit, answer, (of, said) => {
      const frame = encodeAnswer(of, said)
      assert.deepEqual(decodeAnswer(frame), { unit: of, answer: said })
      assert.equal(answerSize(frame), frame.length)
      const shape = cutter(lineShape)
      const [found] = [...shape.push(frame), ...shape.finish()]
      assert.deepEqual(found?.bytes, frame)
    }),
  )
})

test('frames are those of the specification and of makers, byte for byte', () => {
  const hex = (frame: Uint8Array) => Buffer.from(frame).toString('hex')
  // Senseair TDE2067, "CO2 read sequence".
  assert.equal(hex(encodeRequest(0xfe, { function: 4, address: 3, count: 1 })), 'fe0400030001d5c5')
  assert.equal(hex(encodeRequest(0xfe, { function: 4, address: 0, count: 4 })), 'fe0400000004e5c6')
  // MODBUS Application Protocol V1.1b3, the examples of §6.1, §6.5, §6.11, §6.12, §6.16, §6.17, §6.21.
  const pdu = (frame: Uint8Array) => hex(frame.subarray(1, -2))
  const coils = { function: 1, address: 0x13, count: 0x13 } as const
  assert.equal(pdu(encodeRequest(1, coils)), '0100130013')
  assert.equal(
    pdu(encodeAnswer(1, { function: 1, bits: Uint8Array.of(0xcd, 0x6b, 5) })),
    '0103cd6b05',
  )
  assert.equal(pdu(encodeRequest(1, { function: 5, address: 0xac, value: true })), '0500acff00')
  const on = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0].map((bit) => bit === 1)
  assert.equal(
    pdu(encodeRequest(1, { function: 15, address: 0x13, values: on })),
    '0f0013000a02cd01',
  )
  const two = { function: 16, address: 1, values: [0x0a, 0x0102] } as const
  assert.equal(pdu(encodeRequest(1, two)), '100001000204000a0102')
  const mask = { function: 22, address: 4, and: 0xf2, or: 0x25 } as const
  assert.equal(pdu(encodeRequest(1, mask)), '16000400f20025')
  const both = {
    function: 23,
    address: 3,
    count: 6,
    writeAddress: 14,
    values: [255, 255, 255],
  } as const
  assert.equal(pdu(encodeRequest(1, both)), '1700030006000e00030600ff00ff00ff')
  assert.equal(pdu(encodeRequest(1, { function: 43, code: 1, object: 0 })), '2b0e0100')
})

test('the rarer frames are those of the specification, byte for byte', () => {
  const both = (says: string, [asked, said]: [Request, Answer]) => {
    const pdus = [encodeRequest(1, asked), encodeAnswer(1, said)].map((frame) =>
      frame.subarray(1, -2),
    )
    assert.equal(pdus.map((pdu) => Buffer.from(pdu).toString('hex')).join(' '), says)
    assert.ok(answers(said, asked))
  }
  // The examples of §6.7, §6.8.3, §6.9, §6.10, §6.14, §6.15, §6.18.
  both('07 076d', [{ function: 7 }, { function: 7, status: 0x6d }])
  const echo = { function: 8, code: 0, data: 0xa537 } as const
  both('080000a537 080000a537', [echo, echo])
  both('0b 0bffff0108', [{ function: 11 }, { function: 11, status: 0xffff, events: 0x108 }])
  const log = { status: 0, events: 0x108, messages: 0x121, log: Uint8Array.of(0x20, 0) }
  both('0c 0c080000010801212000', [{ function: 12 }, { function: 12, ...log }])
  const pieces = [
    { file: 4, record: 1, count: 2 },
    { file: 3, record: 9, count: 2 },
  ]
  const found = [
    [0x0dfe, 0x0020],
    [0x33cd, 0x0040],
  ]
  both('140e0600040001000206000300090002 140c05060dfe0020050633cd0040', [
    { function: 20, pieces },
    { function: 20, found },
  ])
  const put = {
    function: 21,
    pieces: [{ file: 4, record: 7, values: [0x6af, 0x4be, 0x100d] }],
  } as const
  both('150d0600040007000306af04be100d 150d0600040007000306af04be100d', [put, put])
  const queue = { function: 24, registers: [0x1b8, 0x1284] } as const
  both('1804de 180006000201b81284', [{ function: 24, address: 0x4de }, queue])
})

test('counts past the limits, odd lengths and values that no coil has are no frames', () => {
  for (const payload of [
    [1, 3, 0, 0, 0, 126],
    [1, 3, 0, 0, 0, 0],
    [1, 1, 0, 0, 7, 209],
    [1, 5, 0, 0, 0x12, 0x34],
    [1, 16, 0, 0, 0, 2, 2, 0, 1],
    [1, 15, 0, 0, 0, 9, 1, 255],
    [1, 43, 14, 9, 0],
  ]) {
    assert.equal(decodeRequest(withCrc(payload)), undefined, String(payload))
  }
  assert.equal(answerSize(Uint8Array.of(1, 3, 3)), 0)
  assert.equal(answerSize(Uint8Array.of(1, 3, 252)), 0)
  assert.equal(answerSize(Uint8Array.of(1, 43, 13)), 0)
  assert.equal(answerSize(Uint8Array.of(1, 24, 0, 5)), 0)
  assert.equal(answerSize(Uint8Array.of(1, 24, 0, 6, 0, 3)), 0)
  assert.equal(decodeRequest(withCrc([1, 20, 6, 6, 0, 4, 0, 1, 0])), undefined)
  assert.equal(decodeAnswer(withCrc([1, 20, 4, 3, 7, 0, 1])), undefined)
  assert.equal(decodeAnswer(withCrc([1, 21, 7, 6, 0, 4, 0, 7, 0, 9])), undefined)
})

test('a refusal of a function of its own is one only by the codes of the specification', () => {
  const refused = decodeAnswer(withCrc([1, 0x80 + 0x42, 1]))
  assert.deepEqual(refused?.answer, { function: 'exception', of: 0x42, code: 1 })
  assert.equal(answerSize(Uint8Array.of(1, 0x80 + 0x42, 77)), 0)
})

test('an answer has the size that its request leads to expect', () => {
  fc.assert(
    fc.property(request, answer, (asked, said) => {
      if (!answers(said, asked) || said.function === 'exception') return
      if ([12, 17, 24, 43].includes(said.function)) return
      assert.equal(encodeAnswer(1, said).length, expectedSize(asked))
    }),
  )
})

test('only the answer of this unit, to this function, of this size, is cut out of a noisy line', () => {
  const asked = { function: 4, address: 0, count: 2 } as const
  const right = encodeAnswer(7, { function: 4, registers: [1, 2] })
  const wrong = [
    encodeRequest(7, asked),
    encodeAnswer(8, { function: 4, registers: [1, 2] }),
    encodeAnswer(7, { function: 3, registers: [1, 2] }),
    encodeAnswer(7, { function: 4, registers: [1, 2, 3] }),
    encodeAnswer(7, { function: 'exception', of: 3, code: 2 }),
  ]
  const noise = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(noise, fc.shuffledSubarray(wrong), noise, (before, others, after) => {
      const shape = cutter(answerShape(7, asked))
      const line = Buffer.concat([before, ...others, right, after])
      const intact = [...shape.push(line), ...shape.finish()].filter(({ flaw }) => !flaw)
      assert.deepEqual(
        intact.map(({ bytes: frame }) => Buffer.from(frame).toString('hex')),
        [Buffer.from(right).toString('hex')],
      )
    }),
  )
})

test('100,000 random and mutated bytes give no frame whose CRC does not hold', () => {
  let seen = 0
  const frame = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.tuple(unit, answer, word, fc.nat(255)).map(([of, said, at, byte]) => {
      const mutated = encodeAnswer(of, said)
      mutated[at % mutated.length] = byte
      return mutated
    }),
    fc.tuple(unit, request).map(([of, asked]) => encodeRequest(of, asked)),
  )
  fc.assert(
    fc.property(fc.array(frame, { minLength: 4, maxLength: 12 }), (frames) => {
      const shape = cutter(lineShape)
      for (const { bytes: cut, flaw } of [...frames.flatMap(shape.push), ...shape.finish()]) {
        if (flaw === undefined) assert.ok(crcHolds(cut))
        decodeRequest(cut)
        decodeAnswer(cut)
      }
      seen += frames.reduce((sum, { length }) => sum + length, 0)
    }),
    { numRuns: 2_000 },
  )
  assert.ok(seen > 100_000, `only ${seen} bytes`)
})
