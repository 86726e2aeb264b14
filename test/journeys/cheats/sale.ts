/**
 * A sale that a cheat joins: a real device and gateway, a channel with a real deposit, and a buyer on
 * paper, which says what the product's own buyer never would.
 */
import assert from 'node:assert/strict'
import { randomBytes } from '#crypto'
import { openBroker } from '../../../runtime/link/broker.ts'
import { openChain } from '../../../runtime/link/chain.ts'
import type { Answer } from '../../../runtime/wire/answer.ts'
import { unhex } from '../../../runtime/wire/bytes.ts'
import { type ChannelConfig, channelId } from '../../../runtime/wire/channel.ts'
import type { Header } from '../../../runtime/wire/header.ts'
import type { HpkeKey } from '../../../runtime/wire/hpke.ts'
import type { Offer, OfferedRail } from '../../../runtime/wire/offer.ts'
import type { Payment } from '../../../runtime/wire/payment.ts'
import { type Refusal, type RefusalCode, refusals } from '../../../runtime/wire/refusal.ts'
import type { Range, Request } from '../../../runtime/wire/request.ts'
import { generateSessionKey } from '../../../runtime/wire/session.ts'
import { localSigner, type Signer } from '../../../runtime/wire/signer.ts'
import { type Buyer, type BuyerOptions, buyer, type Ground, pay } from '../../sell/buyer.ts'
import { booksIn } from '../besieged.ts'
import { type Outside, openOutside } from '../outside.ts'
import type { Running } from '../process.ts'
import type { Stall } from '../stall.ts'
import { type Street, until } from '../street.ts'

export type Sale = {
  readonly street: Street
  readonly stall: Stall
  readonly operator: Running
  /** What everybody at the broker sees, and may say. */
  readonly outside: Outside
  /** Offers of the device and of its gateway. */
  readonly device: Offer
  readonly gateway: Offer
  readonly rail: OfferedRail
  /** Everything that the device keeps of its sales. */
  books(): Readonly<Record<string, unknown>>
}

/** Opens a device, its gateway and a look at the broker. */
export async function openSale(street: Street, which = 0): Promise<Sale> {
  const stall = street.stalls[which] as Stall
  const outside = await openOutside(await lineOf(street, 'outside'))
  await stall.open()
  // Before its operator has enrolled it, a device makes an offer already.
  await outside.offer(stall.device)
  const operator = await street.operate()
  await until(async () => (await outside.offer(stall.device)).enrolment !== undefined, 'enrolled')
  const device = await outside.offer(stall.device)
  const gateway = await outside.offer(street.people.operator.address)
  const rail = device.rails[0] as OfferedRail
  const path = `${street.folder}/device${which}/store.sqlite`
  return { street, stall, operator, outside, device, gateway, rail, books: () => booksIn(path) }
}

/** A line to the street's broker, which ends with the street. */
export async function lineOf(street: Street, name: string) {
  const settings = await street.broker.line('buyer')
  const line = openBroker({ ...settings, clientId: `${name}-${randomBytes(4).join('')}` })
  street.end.add(line.close)
  await line.ready()
  return line
}

/** A buyer on paper with its channel: `desk` speaks with the device, `gate` with the gateway. */
export type Peer = {
  readonly signer: Signer
  readonly config: ChannelConfig
  readonly channel: Uint8Array
  readonly ground: Ground
  readonly desk: Buyer
  readonly gate: Buyer
  /** A promise to the device, signed as it should be unless `more` says otherwise. */
  pay(amount: bigint, period: bigint, more?: Parameters<typeof pay>[2]): Promise<Payment>
}

export type PeerOptions = {
  /** What is deposited, in the smallest unit; nothing, unless named. */
  readonly deposit?: bigint
  readonly signer?: Signer
  readonly config?: Partial<ChannelConfig>
  readonly order?: BuyerOptions['order']
  readonly document?: BuyerOptions['document']
  /** Who signs the order; whoever pays, unless named. */
  readonly orderedBy?: Signer
}

export const deposited = 1_000_000n

export async function openPeer(sale: Sale, options: PeerOptions = {}): Promise<Peer> {
  const { street, device, gateway, rail, outside } = sale
  const signer = options.signer ?? localSigner(randomBytes(32))
  const config: ChannelConfig = {
    payer: signer.address,
    payerAuthorizer: signer.address,
    receiver: device.receiver,
    receiverAuthorizer: device.gateway,
    token: rail.token,
    withdrawDelay: device.withdrawDelayMinS,
    salt: randomBytes(32),
    ...options.config,
  }
  if (options.deposit !== undefined) await put(street, rail, config, options.deposit, signer)
  const channel = channelId(config, rail)
  const order = {
    channelId: channel,
    seller: device.device,
    terms: await outside.terms(device.device),
    ceilingAmount: 1_000_000n,
    ceilingPerMs: 1n,
    untilMs: Date.now() + 86_400_000,
  }
  const { chainId, settlement } = rail
  const ground = (to: Offer): Ground => ({
    to: to.device,
    hpke: unhex(to.hpke),
    order,
    config,
    rail: { chainId, settlement },
  })
  const session: HpkeKey = await generateSessionKey()
  const asks = {
    session,
    signer: options.orderedBy ?? signer,
    ...(options.order === undefined ? {} : { order: options.order }),
    ...(options.document === undefined ? {} : { document: options.document }),
  }
  const speak = (to: Offer) => buyer(outside.to(to.device), { ...asks, ground: ground(to) })
  return {
    ...{ signer, config, channel, ground: ground(device) },
    desk: await speak(device),
    gate: await speak(gateway),
    pay: (amount, period, more = {}) =>
      pay(amount, period, { signer, channelId: channel, rail, device: device.device, ...more }),
  }
}

/** Deposits, with fresh tokens. */
export async function put(
  street: Street,
  rail: OfferedRail,
  config: ChannelConfig,
  amount: bigint,
  signer: Signer,
): Promise<void> {
  const { chain } = street
  await chain.mint(signer.address, amount)
  await chain.fund(signer.address, 10n ** 18n)
  const line = await openChain({
    ...{ rpcs: [chain.rpc], chainId: rail.chainId, settlement: rail.settlement, sender: signer },
    limits: { pollMs: 50 },
  })
  await line.deposit(rail, config, amount, signer)
  line.close()
}

/** Orders from both; resolves when the device has given the peer its place in the payment tree. */
export async function ordered({ desk, gate }: Peer): Promise<void> {
  await until(async () => (await gate.order())?.kind === 'ok', 'the gateway grants')
  await until(async () => {
    const answer = await desk.order()
    return answer?.kind === 'welcome' && answer.place !== undefined
  }, 'the device welcomes')
}

/** A peer with a deposit, its order taken. */
export async function openBuyer(sale: Sale, options: PeerOptions = {}): Promise<Peer> {
  const peer = await openPeer(sale, { deposit: deposited, ...options })
  await ordered(peer)
  return peer
}

/** The newest sealed epoch, as a range to buy. */
export async function newest({ outside, stall }: Sale): Promise<Range> {
  const { length } = outside.epochs(stall.device)
  await outside.until(() => outside.epochs(stall.device).length > length)
  const { generation, number } = outside.epochs(stall.device).at(-1) as Header
  return { stream: 'air', generation, from: number, to: number }
}

/** Promises `amount` in all and gets the key of the newest epoch for it, and the gateway's word. */
export async function buyOne(sale: Sale, peer: Peer, amount: bigint, period: bigint) {
  const range = await newest(sale)
  const payment = await peer.pay(amount, period)
  const answer = await peer.desk.request({ kind: 'promise', payment, buy: [range] })
  assert.equal(answer?.kind, 'state', told(answer))
  await sale.outside.until(() => peer.desk.keyOf(range.from) !== undefined)
  assert.ok(peer.desk.keyOf(range.from), `the key of epoch ${range.from}`)
  const shown = await peer.gate.request(booksOf(payment))
  assert.equal(shown?.kind, 'ok', told(shown))
  return payment
}

/** What the gateway is shown of a payment, its leaf alone. */
export function booksOf({ voucher, split, leaf }: Payment): Request & { kind: 'books' } {
  return { kind: 'books', voucher, split, leaves: [leaf] }
}

/** The request is refused by that name, and the refusal says what would help. */
export async function refused(
  { request }: Pick<Buyer, 'request'>,
  cheat: Request,
  code: RefusalCode,
): Promise<Refusal> {
  return isRefusal(await request(cheat), code)
}

/** Device and gateway both refuse the order by that name, and neither keeps anything of it. */
export async function refusedOrder({ desk, gate }: Peer, code: RefusalCode): Promise<void> {
  isRefusal(await desk.order(), code)
  isRefusal(await gate.order(), code)
}

export function isRefusal(answer: Answer | undefined, code: RefusalCode): Refusal {
  assert.ok(answer?.kind === 'refusal', `${code}: ${told(answer)}`)
  assert.equal(answer.refusal.code, code, told(answer))
  assert.ok(refusals[code].cure.length > 10)
  return answer.refusal
}

/** Whatever is tried, the device's books stay as they were. */
export async function unmoved(sale: Sale, tries: () => Promise<unknown>): Promise<void> {
  const before = sale.books()
  await tries()
  assert.deepEqual(sale.books(), before)
}

/**
 * The honest side's books, to the unit: what was promised is acknowledged, claimed and settled, and the
 * rest of every deposit is where it was. Ends the operator.
 */
export async function settled(sale: Sale, promised: bigint, deposits = deposited): Promise<void> {
  const { stall, street, operator } = sale
  await until(async () => (await stall.sale()).acknowledged === promised, 'it is acknowledged')
  const now = await stall.sale()
  assert.equal(now.promised, promised)
  assert.ok(now.delivered <= promised)
  operator.signal('SIGTERM')
  assert.equal(await operator.ended, 0, operator.words())
  const { chain, people } = street
  assert.equal(await chain.balanceOf(people.receiver.address), promised)
  assert.equal(await chain.balanceOf(chain.settlement), deposits - promised)
}

export function told(answer: Answer | undefined): string {
  return JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
}
