/**
 * A broker in memory, a gateway on it over a chain that the test owns, and a buyer that speaks the
 * wire.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '#crypto'
import { matches } from '../../runtime/link/filter.ts'
import type { Seen } from '../../runtime/operator/channel.ts'
import { type Gateway, type GatewayParts, openGateway } from '../../runtime/operator/gateway.ts'
import { type Ledger, openLedger } from '../../runtime/operator/ledger.ts'
import type { Note } from '../../runtime/operator/note.ts'
import { openRegister } from '../../runtime/operator/register.ts'
import { decodeAcks } from '../../runtime/wire/ack.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { type Answer, decodeAnswer } from '../../runtime/wire/answer.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { type ChannelConfig, channelId } from '../../runtime/wire/channel.ts'
import { decodeGrants } from '../../runtime/wire/grant.ts'
import { encodeOrder, type Order, signOrder } from '../../runtime/wire/order.ts'
import { encodeRequest, type Request } from '../../runtime/wire/request.ts'
import {
  generateSessionKey,
  openMessage,
  sealMessage,
  sealOrder,
  sessionName,
} from '../../runtime/wire/session.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { buyer, configOf, device, gateway, operator, rail, receiver, token } from './fixture.ts'

type Handler = (topic: string, payload: Uint8Array, retained: boolean) => void

export function memoryBroker() {
  const handlers: { filter: string; handler: Handler }[] = []
  const listeners: ((forgot: boolean) => void)[] = []
  const retained = new Map<string, Uint8Array>()
  const sent: string[] = []
  let up = true
  let hangs = false
  return {
    /** From now on nothing published is ever acknowledged. */
    hang: () => {
      hangs = true
    },
    retained,
    /** Every topic published, in order. */
    sent,
    /** Cuts the line, or mends it. */
    line(now: boolean) {
      up = now
      if (now) for (const listener of listeners) listener(true)
    },
    connected: () => up,
    onConnect(listener: (forgot: boolean) => void) {
      listeners.push(listener)
      if (up) listener(true)
    },
    async publish(
      topic: string,
      payload: Uint8Array | string,
      { retain = false }: { retain?: boolean } = {},
    ) {
      if (!up) throw new Error('the line is down')
      if (hangs) await new Promise<never>(() => {})
      const bytes = new Uint8Array(Buffer.from(payload))
      sent.push(topic)
      if (retain && bytes.length === 0) retained.delete(topic)
      else if (retain) retained.set(topic, bytes)
      for (const one of handlers) if (matches(one.filter, topic)) one.handler(topic, bytes, false)
    },
    async subscribe(filter: string, handler: Handler) {
      handlers.push({ filter, handler })
      for (const [topic, bytes] of retained) if (matches(filter, topic)) handler(topic, bytes, true)
    },
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** Orders that its gateway looks at in a second. */
export const ordersPerSecond = 50

/** A running gateway over `devices` devices; everything of it ends with the test. */
export async function openWorld(t: { after(fn: () => Promise<void>): void }, devices = 2) {
  const folder = await mkdtemp(path(tmpdir(), 'wayside-gateway-'))
  const broker = memoryBroker()
  const hpke = await generateSessionKey()
  const chain = new Map<string, Seen>()
  const world = {
    broker,
    hpke,
    notes: [] as Note[],
    clock: { wallMs: 1_800_000_000_000, monotonicMs: 0 },
    /** What the chain shows of a channel; a missing one has no deposit. */
    show: (config: ChannelConfig, seen: Seen) => chain.set(hex(channelId(config, rail)), seen),
    chainDown: false,
    signed: 0,
    /** How often the gateway's key has signed. */
    signatures: (): number => world.signed,
    devices: Array.from({ length: devices }, (_, i) => device(i)),
    current: undefined as unknown as { gateway: Gateway; ledger: Ledger },
    stop: async () => {},
    restart,
  }

  async function restart() {
    await world.stop()
    const ledger = openLedger(path(folder, 'gateway.sqlite'))
    const one = await openGateway(partsOf(world, chain, ledger))
    const end = new AbortController()
    const running = one.start(end.signal)
    world.current = { gateway: one, ledger }
    world.stop = async () => {
      end.abort()
      await running
      ledger.close()
      world.stop = async () => {}
    }
  }

  await restart()
  t.after(async () => {
    await world.stop()
    await rm(folder, { recursive: true })
  })
  return world
}

function partsOf(
  world: Pick<World, 'broker' | 'hpke' | 'notes' | 'clock' | 'chainDown' | 'devices' | 'signed'>,
  chain: ReadonlyMap<string, Seen>,
  ledger: Ledger,
): GatewayParts {
  const rows = world.devices.map((id) => ({ device: id, signingKey: id, version: 1 }))
  const place = { collector: device(103), tokenName: 'USDC', tokenVersion: '2', decimals: 6 }
  return {
    broker: world.broker,
    ledger,
    register: openRegister(operator.address, rows),
    operator,
    gateway: {
      address: gateway.address,
      sign(digest) {
        world.signed += 1
        return gateway.sign(digest)
      },
    },
    hpke: world.hpke,
    receiver,
    rails: [{ ...rail, token, ...place }],
    withdrawDelayMinS: 7 * 86_400,
    seen: async (config) => {
      if (world.chainDown) throw new Error('no endpoint answers')
      return chain.get(hex(channelId(config, rail))) ?? { balance: 0n, totalClaimed: 0n }
    },
    lookMs: 20,
    ackMs: 50,
    note: (note) => world.notes.push(note),
    wallMs: () => world.clock.wallMs,
    monotonicMs: () => world.clock.monotonicMs,
    limits: { ordersPerSecond, requestsPerSecond: 1000, endMs: 500 },
  }
}

/** A buyer's session with the gateway. */
export async function openBuyer(world: World, changes: Partial<Order> = {}, config = configOf()) {
  const session = await generateSessionKey()
  const order = await signOrder(
    {
      channelId: channelId(config, rail),
      number: 1n,
      seller: operator.address,
      terms: [new Uint8Array(32)],
      ceilingAmount: 1n,
      ceilingPerMs: 1n,
      sessionKey: session.publicKey,
      untilMs: world.clock.wallMs + 86_400_000,
      ...changes,
    },
    buyer,
  )
  const { message, keys } = await sealOrder({
    order: encodeOrder({ order, config, rail }),
    session,
    recipient: world.hpke.publicKey,
  })
  const answers: Answer[] = []
  const at = topics(operator.address)
  await world.broker.subscribe(at.answer(sessionName(keys.id)), (_, payload) => {
    const opened = openMessage(payload, keys, 'answer')
    if (opened !== undefined) answers.push(decodeAnswer(opened.plain))
  })
  let counter = 0n
  const next = async (send: () => Promise<void>) => {
    const before = answers.length
    await send()
    await eventually(() => answers.length > before)
    return answers.at(-1) as Answer
  }
  return {
    answers,
    message,
    order: () => next(() => world.broker.publish(at.ask, message)),
    ask: (request: Request) =>
      next(async () => {
        counter += 1n
        const plain = encodeRequest(request)
        const sealed = sealMessage('request', keys, counter, plain, randomBytes)
        await world.broker.publish(at.ask, sealed)
      }),
  }
}

export function grantsOf(world: World, id: Address) {
  const payload = world.broker.retained.get(topics(id).grant)
  return payload === undefined ? [] : decodeGrants(payload)
}

export function acksOf(world: World, id: Address) {
  const payload = world.broker.retained.get(topics(id).ack)
  return payload === undefined ? [] : decodeAcks(payload)
}

export async function eventually(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 12_000 && !holds(); i += 1) await sleep(5)
  if (!holds()) throw new Error('it never came true')
}
