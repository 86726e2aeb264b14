import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeAck, decodeAcks, encodeAck, encodeAcks } from '../../runtime/wire/ack.ts'
import { decodeAnswer, encodeAnswer } from '../../runtime/wire/answer.ts'
import { type Cbor, decodeCbor, encodeCbor } from '../../runtime/wire/cbor.ts'
import { decodeShape, encodeShape, type Shape } from '../../runtime/wire/cborshape.ts'
import { decodeChannelConfig, encodeChannelConfig } from '../../runtime/wire/channel.ts'
import { decodeGrant, decodeGrants, encodeGrant, encodeGrants } from '../../runtime/wire/grant.ts'
import { decodeKeysBody, encodeKeysBody } from '../../runtime/wire/keysbody.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { decodeOrder, encodeOrder } from '../../runtime/wire/order.ts'
import { decodeRequest, encodeRequest } from '../../runtime/wire/request.ts'
import { splitShape } from '../../runtime/wire/split.ts'
import { stateShape } from '../../runtime/wire/state.ts'
import { decodeVoucher, encodeVoucher } from '../../runtime/wire/voucher.ts'
import * as bodies from '../vectors/money/bodies.ts'
import { config } from '../vectors/money/sample.ts'

const { sold, own } = await bodies.orders(new Uint8Array(32).fill(4))

type Codec = {
  readonly name: string
  readonly decode: (bytes: Uint8Array) => unknown
  readonly samples: readonly (readonly [value: unknown, bytes: Uint8Array])[]
}

const codecs: readonly Codec[] = [
  codec('request', decodeRequest, encodeRequest, bodies.requests),
  codec('answer', decodeAnswer, encodeAnswer, bodies.answers),
  codec('keys body', decodeKeysBody, encodeKeysBody, bodies.keysBodies),
  codec('order', decodeOrder, encodeOrder, [sold, own]),
  codec('channel config', decodeChannelConfig, encodeChannelConfig, [config]),
  codec('voucher', decodeVoucher, encodeVoucher, [bodies.voucher]),
  shaped('split', splitShape, [bodies.split]),
  codec('grant', decodeGrant, encodeGrant, [bodies.grant]),
  codec('ack', decodeAck, encodeAck, [bodies.ack]),
  codec('list of grants', decodeGrants, encodeGrants, [[], [bodies.grant]]),
  codec('list of acks', decodeAcks, encodeAcks, [[], [bodies.ack]]),
  shaped('state', stateShape, [bodies.state]),
]

for (const { name, decode, samples } of codecs) {
  test(`a ${name} reads back as it was written`, () => {
    for (const [value, bytes] of samples) assert.deepEqual(decode(bytes), value)
  })

  test(`a ${name} of any bytes is read or Malformed, never anything else`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => onlyMalformed(decode, bytes)),
      { numRuns: 200 },
    )
  })

  test(`a ${name} with bytes changed, cut or added is read or Malformed`, () => {
    const change = fc.tuple(fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(change, { maxLength: 3 }),
        fc.option(fc.nat()),
        ([, sample], changes, cut) => {
          const bytes = Uint8Array.from(sample)
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          onlyMalformed(decode, cut === null ? bytes : bytes.subarray(0, cut % bytes.length))
        },
      ),
      { numRuns: 200 },
    )
  })

  test(`a ${name} with any member made something else is read or Malformed`, () => {
    const other = fc.oneof(
      fc.constantFrom<Cbor>(-1, 0, 2 ** 53, 1n << 63n, -(1n << 63n), 1.5, '', null, true, []),
      fc.constantFrom<Cbor>(new Map([['kind', 'state']]), new Map([['__proto__', 1]])),
      fc.uint8Array({ maxLength: 70 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), other, ([, sample], pick, value) => {
        const places = count(decodeCbor(sample, 'sample'))
        const changed = replace(decodeCbor(sample, 'sample'), pick % places, value)
        onlyMalformed(decode, encodeCbor(changed))
      }),
      { numRuns: 300 },
    )
  })
}

test('a member that nobody knows is refused, not passed over', () => {
  const bytes = encodeCbor(
    new Map<string, Cbor>([
      ['kind', 'state'],
      ['more', 1],
    ]),
  )
  assert.throws(() => decodeRequest(bytes), Malformed)
  const proto = encodeCbor(new Map<string, Cbor>([['kind', 'toString']]))
  assert.throws(() => decodeRequest(proto), Malformed)
})

test('a range that ends before it begins is Malformed', () => {
  const range = { stream: 'air', generation: 0, from: 9, to: 8 }
  assert.throws(() => decodeRequest(encodeRequest({ kind: 'take', buy: [range] })), Malformed)
  const { generation: _, ...fetch } = range
  assert.throws(() => decodeRequest(encodeRequest({ kind: 'fetch', ...fetch })), Malformed)
})

test('an amount has one spelling', () => {
  const [, bytes] = codecs[5]?.samples[0] ?? []
  const row = decodeCbor(bytes as Uint8Array, 'voucher') as readonly Cbor[]
  const padded = [row[0] as Cbor, Uint8Array.of(0, 1), row[2] as Cbor]
  assert.throws(() => decodeVoucher(encodeCbor(padded)), Malformed)
})

test('a promise for a fleet of ten thousand stays under a kilobyte', () => {
  const step = { hash: new Uint8Array(32), sum: 1n << 80n }
  const payment = { ...bodies.payment, path: Array.from({ length: 14 }, () => step) }
  const [first] = bodies.requests
  assert.ok(first?.kind === 'promise')
  assert.ok(encodeRequest({ ...first, payment }).length < 1000)
})

function shaped<T>(name: string, shape: Shape<T>, values: readonly T[]): Codec {
  const decode = (bytes: Uint8Array) => decodeShape(shape, bytes, name)
  return codec(name, decode, (value) => encodeShape(shape, value), values)
}

function codec<T>(
  name: string,
  decode: (bytes: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
  values: readonly T[],
): Codec {
  return { name, decode, samples: values.map((value) => [value, encode(value)] as const) }
}

function onlyMalformed(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    decode(bytes)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
  }
}

/** How many values a CBOR value is made of. */
function count(value: Cbor): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + count(item), 1)
  if (value instanceof Map) return [...value.values()].reduce((sum, item) => sum + count(item), 1)
  return 1
}

/** The same with its nth value made another. */
function replace(value: Cbor, nth: number, other: Cbor): Cbor {
  let left = nth
  const walk = (here: Cbor): Cbor => {
    if (left === 0) {
      left = -1
      return other
    }
    left -= 1
    if (Array.isArray(here)) return here.map(walk)
    if (here instanceof Map) return new Map([...here].map(([key, item]) => [key, walk(item)]))
    return here
  }
  return walk(value)
}
