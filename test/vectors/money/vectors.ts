/** The golden vectors of the money side: computed here, written by make.ts, held by a test. */
import { keccak256 } from '#crypto'
import { encodeAck, encodeAcks } from '../../../runtime/wire/ack.ts'
import { encodeAnswer } from '../../../runtime/wire/answer.ts'
import { hex, unhex, utf8 } from '../../../runtime/wire/bytes.ts'
import { encodeShape } from '../../../runtime/wire/cborshape.ts'
import { encodeChannelConfig, settlementDomain } from '../../../runtime/wire/channel.ts'
import { encodeGrant, encodeGrants } from '../../../runtime/wire/grant.ts'
import { encodeKeysBody } from '../../../runtime/wire/keysbody.ts'
import { encodeOrder } from '../../../runtime/wire/order.ts'
import { paymentTree } from '../../../runtime/wire/paymenttree.ts'
import { charge, due } from '../../../runtime/wire/price.ts'
import { encodeRequest } from '../../../runtime/wire/request.ts'
import { sealMessage, sessionId } from '../../../runtime/wire/session.ts'
import { splitShape } from '../../../runtime/wire/split.ts'
import { stateShape } from '../../../runtime/wire/state.ts'
import { digestOf, type TypeName, typeStrings, waysideDomain } from '../../../runtime/wire/typed.ts'
import { encodeVoucher } from '../../../runtime/wire/voucher.ts'
import * as bodies from './bodies.ts'
import { buyer, channel, config, device, leaves, operator, rail, secrets } from './sample.ts'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/**
 * Every vector file: its name and what stands in it. Bytes are hex, amounts and counters decimal.
 */
export async function vectors(): Promise<Readonly<Record<string, Json>>> {
  const { ack, grant, split, state, voucher } = bodies
  const x402 = settlementDomain(rail)
  const sessionKey = unhex(bodies.sessionPublicKey)
  const { sold, own } = await bodies.orders(sessionKey)
  const made = {
    keys: {
      secrets,
      addresses: { buyer: buyer.address, operator: operator.address, device: device.address },
    },
    types: Object.entries(typeStrings).map(([name, type]) => ({
      name,
      type,
      typeHash: keccak256(utf8(type)),
      domain: domainOf(name as TypeName),
    })),
    channel: { config, rail, domain: x402, id: channel, cbor: encodeChannelConfig(config) },
    voucher: signed('Voucher', voucher, buyer.address, encodeVoucher(voucher), x402),
    split: signed('Split', split, buyer.address, encodeShape(splitShape, split), x402),
    paymenttree: trees(),
    grant: signed('Grant', grant, operator.address, encodeGrant(grant)),
    ack: signed('Ack', ack, operator.address, encodeAck(ack)),
    retained: { grants: encodeGrants([grant]), acks: encodeAcks([ack]) },
    state: signed('State', state, device.address, encodeShape(stateShape, state)),
    order: [
      { ...signed('Order', sold.order, buyer.address, encodeOrder(sold)), config, rail },
      signed('Order', own.order, operator.address, encodeOrder(own)),
    ],
    requests: bodies.requests.map((body) => ({ body, cbor: encodeRequest(body) })),
    answers: bodies.answers.map((body) => ({ body, cbor: encodeAnswer(body) })),
    keysbodies: bodies.keysBodies.map((body) => ({ body, cbor: encodeKeysBody(body) })),
    messages: messages(sessionKey),
    price: prices(),
  }
  return show(made) as Readonly<Record<string, Json>>
}

/** A value as it stands in a vector file. */
export function show(value: unknown): Json {
  if (value instanceof Uint8Array) return hex(value)
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(show)
  if (typeof value !== 'object' || value === null) return value as Json
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, show(part)]))
}

function domainOf(name: TypeName): string {
  const settlement = ['ChannelConfig', 'Voucher', 'Refund', 'ClaimBatch', 'Split']
  if (!settlement.includes(name)) return 'Wayside, 1'
  return 'x402 Batch Settlement, 1, chainId, verifyingContract'
}

function signed(
  name: TypeName,
  value: object,
  signer: string,
  cbor: Uint8Array,
  domain = waysideDomain,
) {
  return { value, domain, digest: digestOf(name, value, domain), signer, cbor }
}

function trees() {
  return [1, 2, 3, 5].map((size) => {
    const tree = paymentTree()
    const some = leaves.slice(0, size)
    for (const leaf of some) tree.set(leaf)
    const { root, total } = tree.root()
    return { leaves: some.map((leaf) => ({ ...leaf, path: tree.path(leaf.index) })), root, total }
  })
}

function messages(sessionKey: Uint8Array) {
  const keys = {
    id: sessionId(sessionKey),
    ask: new Uint8Array(32).fill(1),
    answer: new Uint8Array(32).fill(2),
    keys: new Uint8Array(32).fill(3),
  }
  const nonce = new Uint8Array(12).fill(4)
  return (['request', 'answer', 'keys'] as const).map((kind) => {
    const plain = utf8(`plain ${kind}`)
    const message = sealMessage(kind, keys, 258n, plain, () => nonce)
    return { kind, keys, counter: 258n, nonce, plain, message }
  })
}

function prices() {
  const price = { amount: 36_000n, perMs: 3_600_000n }
  return [0n, 99n, 100n, 10_000n, 86_400_000n].map((coveredMs) => ({
    price,
    coveredMs,
    due: due(coveredMs, price),
    nextSecond: charge(coveredMs, 1000n, price),
  }))
}
