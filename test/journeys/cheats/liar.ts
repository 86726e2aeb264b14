/**
 * A broker that lies: it stands between one buyer and the street's own broker, takes every message from
 * there, and hands on what it likes. What the buyer says goes through.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import type { Line } from '../../../runtime/buyer/session.ts'
import { openBroker } from '../../../runtime/link/broker.ts'
import { everyTopic, type ParsedTopic, parseTopic } from '../../../runtime/wire/topic.ts'
import type { Street } from '../street.ts'
import { lineOf } from './sale.ts'

export type Message = {
  readonly topic: string
  readonly payload: Uint8Array
  readonly parsed: ParsedTopic
}

/** What it makes of a message: the messages that it hands on in its place, in their order. */
export type Lie = (message: Message) => readonly Said[]

type Said = Pick<Message, 'topic' | 'payload'> & {
  /** Only whoever subscribes from now on is told of it. */
  readonly silent?: boolean
}

type Retained = { storeRetained(packet: object): Promise<void> }

export type Liar = {
  readonly url: string
}

export async function openLiar(street: Street, lie: Lie): Promise<Liar> {
  const aedes = await Aedes.createBroker()
  // Not among its types, but what every store of it has.
  const { persistence: retained } = aedes as unknown as { readonly persistence: Retained }
  const server = createServer(aedes.handle)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  street.end.add(async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const upstream = await lineOf(street, 'liar')
  // One after the other: aedes takes a message for a repetition when a later one has overtaken it.
  let said = Promise.resolve()
  const say = ({ topic, payload, silent = false }: Said) => {
    const retain = !passing.has(parseTopic(topic)?.kind ?? 'ask')
    const packet = { topic, payload: Buffer.from(payload), retain, qos: 1, dup: false } as const
    const send = async () => {
      if (silent) return retained.storeRetained({ cmd: 'publish', ...packet })
      await new Promise<void>((done) => aedes.publish({ cmd: 'publish', ...packet }, () => done()))
    }
    said = said.then(send)
  }
  aedes.on('publish', ({ topic, payload }, client) => {
    if (client === null || parseTopic(topic)?.kind !== 'ask') return
    // A line that is down is a message that got lost.
    upstream.publish(topic, payload as Uint8Array).catch(() => {})
  })
  await upstream.subscribe(everyTopic, (topic, payload) => {
    const parsed = parseTopic(topic)
    if (parsed === undefined || parsed.kind === 'ask') return
    for (const one of lie({ topic, payload: payload.slice(), parsed })) say(one)
  })
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A line to it, for the buyer that it lies to. */
export async function lineTo({ end }: Street, { url }: Liar) {
  const line = openBroker({ url, clientId: 'believer' })
  end.add(line.close)
  await line.ready()
  return line
}

/** A line on which everything comes as `told` has it: the payloads that come under a topic in place of one. */
export function lyingLine(
  { publish, subscribe }: Awaited<ReturnType<typeof lineOf>>,
  told: (topic: string, payload: Uint8Array) => readonly Uint8Array[],
): Line {
  return {
    publish,
    subscribe: (filter, handler) =>
      subscribe(filter, (topic, payload, retained) => {
        for (const one of told(topic, payload)) handler(topic, one, retained)
      }),
  }
}

/** Kinds that no broker retains. */
const passing: ReadonlySet<ParsedTopic['kind']> = new Set(['epoch', 'open', 'ask', 'answer'])
