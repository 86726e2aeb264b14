/**
 * One connection to an MQTT broker, over the `mqtt` package and nowhere else: how it opens, carries and
 * ends. Whoever keeps a line opens one after the other (broker.ts).
 */
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type IConnackPacket, type MqttClient } from 'mqtt'
import { type Fault, fault } from '../faults.ts'
import type { LinkLimits } from './limits.ts'
import type { Login } from './login.ts'
import { propertiesOf, repeats } from './properties.ts'
import {
  disconnection,
  type Ending,
  endingOf,
  type LineError,
  refusedTopic,
  unfitness,
} from './reasons.ts'
import type { Sent } from './suspects.ts'
import { window } from './window.ts'

export type Dialling = {
  readonly url: string
  readonly clientId: string
  readonly username?: string | undefined
  readonly login: Login
  readonly will?: { readonly topic: string; readonly payload: Uint8Array | string } | undefined
  readonly keepSession?: boolean | undefined
  readonly version: 4 | 5
  readonly limits: LinkLimits
  /** How many messages may be on their way, at any time. */
  readonly width: () => number
  /** Called from the first instant: a kept session's queue may come in one piece with the CONNACK. */
  readonly hear: (topic: string, payload: Uint8Array, retained: boolean) => void
}

export type Dialled = {
  /** The link, or why there is none. */
  readonly opened: Promise<{ readonly link: Link } | { readonly no: Ending }>
  /** Why it ended. */
  readonly ended: Promise<Ending>
  /** Drops it at once, open or not. */
  abandon(): void
}

/** One connection's two verbs, and its two ends. */
export type Link = {
  /**
   * Resolves at PUBACK. Rejects with BROKER_REFUSED, or with BROKER_LOST when the link falls first.
   */
  publish(topic: string, payload: Uint8Array | string, retain: boolean): Promise<void>
  /** Undefined when the broker took the filter, or the link fell first; else its refusal. */
  subscribe(filter: string): Promise<Fault | undefined>
  /** What the broker says to it changes nothing: what still comes is heard by nobody. */
  unsubscribe(filter: string): void
  open(): boolean
  /** The broker knew nothing of us: it is new to us, or has lost what it had. */
  readonly forgot: boolean
  /** Waits for what is in flight, then disconnects in order; neither for longer than `leaveMs`. */
  end(): Promise<void>
  /** Messages that are on their way and have no PUBACK yet, the oldest first. */
  underway(): readonly Sent[]
  /** The link fell: nothing more comes back. */
  drop(): void
}

/** One attempt. mqtt.js never connects again by itself and replays nothing. */
export function dial(dialling: Dialling): Dialled {
  const { url, limits, hear } = dialling
  const client = connect(url, optionsOf(dialling))
  atOnce(client.stream)
  client.on('message', (topic, payload, { retain }) => {
    hear(topic, new Uint8Array(payload.buffer, payload.byteOffset, payload.length), retain)
  })
  let ending: Ending = { kind: 'hung up', why: 'the broker closed the line' }
  const fail = (why: Ending) => {
    ending = why
    client.stream.destroy()
  }
  // Whatever cannot be read leaves the parser without a place to go on from: no line survives its error.
  client.on('error', (error: LineError) => fail(endingOf(error)))
  client.on('disconnect', ({ reasonCode = 0, properties }) => {
    ending = disconnection(reasonCode, properties?.reasonString)
  })
  return {
    opened: new Promise((done) => {
      client.once('connect', (connack) => {
        const unfit = unfitness(connack.properties ?? {})
        if (unfit !== undefined) return fail({ kind: 'unfit', why: unfit })
        const link = carry(client, connack, dialling)
        endWhenStalled(client, link, limits, fail)
        done({ link })
      })
      client.once('close', () => done({ no: before(ending) }))
    }),
    ended: new Promise((done) => client.once('close', () => done(ending))),
    abandon: () => void client.end(true),
  }
}

/** The ending of a line that never was one. */
function before({ kind, why }: Ending): Ending {
  const silent = kind === 'hung up' || kind === 'message'
  return { kind, why: silent ? `${why} instead of a CONNACK: ${mayBe}` : why }
}

const mayBe =
  'TLS where there is none or the reverse, too many clients, or a last will it does not take?'

/** A line on which an answer is overdue while the pings come back is no line. */
function endWhenStalled(
  client: MqttClient,
  link: Link & { stalledMs(): number },
  { ackMs }: LinkLimits,
  fail: (why: Ending) => void,
): void {
  const look = () => {
    if (link.stalledMs() < ackMs) return
    fail({ kind: 'other', why: `it has left a message without an answer for ${ackMs / 1000} s` })
  }
  const timer = setInterval(look, ackMs / 8)
  client.once('close', () => clearInterval(timer))
}

function optionsOf({ clientId, username, login, will, keepSession, version, limits }: Dialling) {
  const { password, ca, cert, key } = login
  const { sessionS: sessionExpiryInterval, messageBytesMax: maximumPacketSize } = limits
  const properties = {
    maximumPacketSize,
    topicAliasMaximum: limits.aliasesMax,
    ...(keepSession ? { sessionExpiryInterval } : {}),
  }
  return {
    clientId,
    protocolVersion: version,
    clean: !keepSession,
    reconnectPeriod: 0,
    resubscribe: false,
    // Its table of all 65,536 numbers of two bytes costs 9 MiB, to spare us two assignments a packet.
    writeCache: false,
    // A topic that was sent once with a number is sent as the number from then on.
    autoUseTopicAlias: true,
    connectTimeout: limits.connectMs,
    keepalive: limits.keepaliveS,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(will === undefined ? {} : { will: willOf(will, version) }),
    ...(version === 5 ? { properties } : {}),
  } as const
}

function willOf({ topic, payload }: NonNullable<Dialling['will']>, version: 4 | 5) {
  const bytes = raw(payload)
  const { contentType, payloadFormatIndicator } = propertiesOf(topic, bytes)
  const properties = {
    ...(contentType === undefined ? {} : { contentType }),
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
  }
  const message = { topic, payload: bytes, qos: 1, retain: true } as const
  return version === 5 ? { ...message, properties } : message
}

/** Publishes and subscribes over one open connection, within what the broker takes at once. */
function carry(client: MqttClient, connack: IConnackPacket, { url, limits, width }: Dialling) {
  const { receiveMaximum = 65_535, maximumPacketSize } = connack.properties ?? {}
  const flight = window<Sent>(() => Math.min(width(), receiveMaximum))
  const asked = window<string>(() => Number.POSITIVE_INFINITY)
  const propertiesFor = courtesies(client, connack, limits)
  const lost = () => fault('BROKER_LOST', { url })
  return {
    forgot: !connack.sessionPresent,
    async publish(topic: string, payload: Uint8Array | string, retain: boolean) {
      const bytes = raw(payload)
      // Topic and head need room too: 64 bytes more than the largest head of a publish.
      if (maximumPacketSize !== undefined && bytes.length + topic.length + 64 > maximumPacketSize) {
        throw refusedTopic(url, topic, 0x95, `at most ${maximumPacketSize} bytes`)
      }
      const begin = (done: (error?: Error) => void) => {
        const packet = { qos: 1, retain, ...propertiesFor(topic, bytes) } as const
        client.publish(topic, bytes, packet, (error, answer) => {
          if (error == null) return done()
          const code = codeOf(error)
          // Without a code it is no answer of the broker's, but the line that fell.
          if (code === undefined || !client.connected) return done(lost())
          const said =
            answer !== undefined && 'properties' in answer ? answer.properties : undefined
          const words = (said as { readonly reasonString?: string } | undefined)?.reasonString
          done(refusedTopic(url, topic, code, words, error))
        })
      }
      await flight.run({ topic, bytes: bytes.length }, begin, lost)
    },
    async subscribe(filter: string) {
      let refusal: Fault | undefined
      const begin = (done: () => void) => {
        client.subscribe(filter, { qos: 1 }, (error, granted) => {
          const code = granted?.map(({ qos }) => Number(qos)).find((qos) => qos >= 0x80)
          const refused = error != null || code !== undefined
          if (refused && client.connected) {
            refusal = refusedTopic(url, filter, code ?? codeOf(error), undefined, error)
          }
          done()
        })
      }
      await asked.run(filter, begin, lost).catch(() => {})
      return refusal
    },
    unsubscribe(filter: string) {
      if (client.connected) client.unsubscribe(filter)
    },
    open: () => client.connected,
    async end() {
      const late = () => sleep(limits.leaveMs, undefined, { ref: false })
      await Promise.race([flight.idle(), late()])
      // mqtt.js waits for every answer and for the broker to hang up; a line that hangs brings neither.
      await Promise.race([client.endAsync(), late()])
      client.stream.destroy()
    },
    underway: flight.underway,
    stalledMs: () => Math.max(flight.stalledMs(), asked.stalledMs()),
    drop() {
      flight.drop()
      asked.drop()
    },
  }
}

/** The MQTT 5 properties of the next message on a topic; nothing on an older line. */
function courtesies(client: MqttClient, connack: IConnackPacket, limits: LinkLimits) {
  const aliasesMax = Math.min(connack.properties?.topicAliasMaximum ?? 0, limits.aliasesMax)
  const aliases = new Map<string, number>()
  return (topic: string, payload: Uint8Array) => {
    if (client.options.protocolVersion !== 5) return {}
    const properties = propertiesOf(topic, payload)
    if (aliases.has(topic) || aliases.size >= aliasesMax || !repeats(topic)) return { properties }
    const topicAlias = aliases.size + 1
    aliases.set(topic, topicAlias)
    return { properties: { ...properties, topicAlias } }
  }
}

function codeOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'number' ? code : undefined
}

function raw(payload: Uint8Array | string): Buffer {
  return typeof payload === 'string'
    ? Buffer.from(payload)
    : Buffer.from(payload.buffer, payload.byteOffset, payload.length)
}

/**
 * Small packets leave at once: with Nagle's algorithm an acknowledgement waits up to 40 ms for the broker's
 * own. Websockets hide their socket, and are left as they are.
 */
function atOnce(stream: unknown): void {
  if (stream instanceof Socket) stream.setNoDelay(true)
}
