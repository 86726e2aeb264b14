import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zeroAddress } from '../../runtime/wire/address.ts'
import { type ChannelConfig, channelId, noChannel } from '../../runtime/wire/channel.ts'
import {
  checkOrder,
  decodeOrder,
  encodeOrder,
  type Order,
  type OrderDocument,
  type OrderGround,
  signOrder,
} from '../../runtime/wire/order.ts'
import type { Signer } from '../../runtime/wire/signer.ts'
import { buyer, channel, config, device, operator, rail, token } from '../vectors/money/sample.ts'

const sessionKey = new Uint8Array(32).fill(9)
const order: Order = {
  channelId: channel,
  number: 3n,
  seller: operator.address,
  terms: [new Uint8Array(32).fill(1)],
  ceilingAmount: 10n,
  ceilingPerMs: 3_600_000n,
  sessionKey,
  untilMs: 2_000_000,
}
const ground: OrderGround = {
  device: device.address,
  operator: operator.address,
  sessionKey,
  tokens: [{ ...rail, token }],
  receiver: config.receiver,
  receiverAuthorizer: config.receiverAuthorizer,
  timeMs: 1_000_000,
}

test('an order signed by the payerAuthorizer stands, after a trip over the wire', async () => {
  const document = decodeOrder(encodeOrder(await sign({})))
  const checked = checkOrder(document, ground)
  assert.ok(checked.ok)
  assert.equal(checked.payer, config.payer)
  assert.equal(checked.own, false)
})

test('an order for the device itself stands as one for its fleet does', async () => {
  assert.ok(checkOrder(await sign({ seller: device.address }), ground).ok)
})

test('each rule refuses by its own name', async () => {
  const no = async (code: string, document: OrderDocument, changed: Partial<OrderGround> = {}) => {
    const checked = checkOrder(document, { ...ground, ...changed })
    assert.equal(checked.ok ? 'ok' : checked.refusal.code, code)
  }
  const stands = await sign({})
  await no('order-session', stands, { sessionKey: new Uint8Array(32) })
  await no('order-seller', await sign({ seller: buyer.address }))
  await no('order-ended', stands, { timeMs: 2_000_000 })
  await no('order-signature', await sign({}, operator))
  await no('order-signature', { ...stands, order: { ...stands.order, number: 4n } })
  await no('order-channel', { order: stands.order })
  await no('channel-id', await sign({ channelId: new Uint8Array(32).fill(5) }))
  await no('channel-token', stands, { tokens: [] })
  await no('channel-token', { ...stands, rail: { ...rail, chainId: 1 } })
  await no('channel-delay', stands, { withdrawDelayMin: 604_801 })
  await no('channel-receiver', stands, { receiver: buyer.address })
  await no('channel-receiver', stands, { receiverAuthorizer: buyer.address })
  await no('channel-authorizer-zero', await on({ payerAuthorizer: zeroAddress }))
  await no('channel-delay', await on({ withdrawDelay: 86_399 }))
  const { timeMs: _, ...timeless } = ground
  const checked = checkOrder(stands, timeless)
  assert.equal(checked.ok ? 'ok' : checked.refusal.code, 'time-unknown')
})

test('a floor of a day stands under every configured delay', async () => {
  const checked = checkOrder(await on({ withdrawDelay: 3_600 }), {
    ...ground,
    withdrawDelayMin: 60,
  })
  assert.equal(checked.ok ? 'ok' : checked.refusal.code, 'channel-delay')
})

test("own data is ordered by the operator's key, for nothing, on no channel", async () => {
  const own = { channelId: noChannel, ceilingAmount: 0n }
  const { timeMs: _, ...timeless } = ground
  const signed = await signOrder({ ...order, ...own }, operator)
  const checked = checkOrder({ order: signed }, timeless)
  assert.ok(checked.ok && checked.own && checked.payer === operator.address)

  const stranger = await signOrder({ ...order, ...own }, buyer)
  const refused = checkOrder({ order: stranger }, timeless)
  assert.equal(refused.ok ? 'ok' : refused.refusal.code, 'order-signature')
  const priced = await signOrder({ ...order, ...own, ceilingAmount: 1n }, operator)
  const atPrice = checkOrder({ order: priced }, timeless)
  assert.equal(atPrice.ok ? 'ok' : atPrice.refusal.code, 'order-channel')
})

async function sign(changed: Partial<Order>, signer: Signer = buyer): Promise<OrderDocument> {
  return { order: await signOrder({ ...order, ...changed }, signer), config, rail }
}

/** An order on another channel, well signed. */
async function on(changed: Partial<ChannelConfig>): Promise<OrderDocument> {
  const other = { ...config, ...changed }
  const signed = await signOrder({ ...order, channelId: channelId(other, rail) }, buyer)
  return { order: signed, config: other, rail }
}
