/**
 * The line to an MQTT broker, over the `mqtt` package and nowhere else.
 *
 * mqtt.js is a transport here and no more: every connection is a fresh client that never reconnects by
 * itself and replays nothing (its store may drop QoS 1 messages when the link falls while it replays,
 * MQTT.js#2015). A publish is done when the broker acknowledged it, and lost when the link fell before:
 * who must deliver keeps the message until then.
 *
 * MQTT 5 is spoken where the broker can, because only there a refused publish is told from an accepted
 * one and a takeover has a name; else 3.1.1. Both carry the same payloads.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type IConnackPacket, type MqttClient } from 'mqtt'
import { fault } from '../faults.ts'
import { backOff } from '../time/backoff.ts'
import { matches } from './filter.ts'
import { type LinkLimits, type LinkNote, linkLimits } from './limits.ts'
import { window } from './window.ts'

export type Broker = {
  /**
   * Sends at QoS 1 and resolves at PUBACK. Rejects with BROKER_LOST when there is no link or it falls
   * first (the broker may have it all the same), with BROKER_REFUSED when the broker says no.
   */
  publish(
    topic: string,
    payload: Uint8Array | string,
    options?: { readonly retain?: boolean },
  ): Promise<void>
  /**
   * Hears a filter from now on, across reconnections. Resolves when the broker took it, or at once while
   * there is no link. Rejects with BROKER_REFUSED when the broker says no.
   */
  subscribe(filter: string, handler: Handler): Promise<void>
  connected(): boolean
  /** Called after every connection, once all filters are subscribed again; now, when one stands. */
  onConnect(listener: () => void): void
  /** Resolves at the first connection; rejects with BROKER_UNREACHABLE after `withinMs` without one. */
  ready(withinMs?: number): Promise<void>
  /**
   * Sends what is in flight, takes leave (so the last will stays unsaid) and resolves when it is off. A
   * broker that does not answer in time is left without.
   */
  close(): Promise<void>
}

export type Handler = (topic: string, payload: Uint8Array, retained: boolean) => void

export type BrokerOptions = {
  /** mqtt://, mqtts://, ws:// or wss://. */
  readonly url: string
  /** Two clients of one id throw each other out; a device uses its address. */
  readonly clientId: string
  readonly username?: string
  readonly password?: string
  /** Read at every connection, so that a renewed certificate needs no restart. PEM texts. */
  readonly tls?: () => { readonly ca?: string; readonly cert?: string; readonly key?: string }
  /** What the broker says, retained, when this client vanishes. */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array | string }
  /** The broker keeps our subscriptions and queues for us while we are away. */
  readonly keepSession?: boolean
  readonly note?: (note: LinkNote) => void
  readonly signal?: AbortSignal
  readonly limits?: Partial<LinkLimits>
  /** From 0 to below 1: the jitter of the back-off. */
  readonly random?: () => number
}

/** Connects in the background and keeps connecting until closed or the signal aborts. */
export function openBroker(options: BrokerOptions): Broker {
  const limits = { ...linkLimits, ...options.limits }
  const { url, note = () => {}, random = Math.random } = options
  const filters = new Map<string, Handler[]>()
  const listeners: (() => void)[] = []
  const waiting = new Set<Waiting>()
  const stop = new AbortController()
  let link: Link | undefined

  const loop = keepConnected()
  options.signal?.addEventListener('abort', () => void close(), { once: true })
  if (options.signal?.aborted) stop.abort()

  return {
    publish(topic, payload, { retain = false } = {}) {
      if (link === undefined) return Promise.reject(fault('BROKER_LOST', { url }))
      return link.publish(topic, payload, retain)
    },
    async subscribe(filter, handler) {
      const handlers = filters.get(filter)
      if (handlers === undefined) filters.set(filter, [handler])
      else handlers.push(handler)
      if (link !== undefined && !(await link.subscribe(filter)))
        throw fault('BROKER_REFUSED', { url, topic: filter })
    },
    connected: () => link !== undefined,
    onConnect(listener) {
      listeners.push(listener)
      if (link !== undefined) listener()
    },
    ready(withinMs = limits.connectMs) {
      if (link !== undefined) return Promise.resolve()
      return new Promise((done, fail) => {
        const give = () => fail(fault('BROKER_UNREACHABLE', { url, seconds: withinMs / 1000 }))
        const timer = setTimeout(give, withinMs)
        waiting.add({ done, give, timer })
      })
    },
    close,
  }

  async function close() {
    stop.abort()
    settle(({ give }) => give())
    await link?.end()
    await loop
  }

  async function keepConnected() {
    let version: 4 | 5 = 5
    let failures = 0
    let takeovers = 0
    while (!stop.signal.aborted) {
      const dialled = dial(options, limits, version)
      // From the first instant: a kept session's queue may come in one piece with the CONNACK.
      dialled.client.on('message', hear)
      const giveUp = () => dialled.client.end(true)
      stop.signal.addEventListener('abort', giveUp)
      const opened = await dialled.opened
      stop.signal.removeEventListener('abort', giveUp)
      if (opened === 'speaks 3.1.1' && version === 5) {
        version = 4
        continue
      }
      const upAtMs = performance.now()
      const up = typeof opened === 'string' ? undefined : carry(dialled.client, opened, limits, url)
      if (up !== undefined) await serve(dialled.client, up, dialled.ended, version)
      const stable = up !== undefined && performance.now() - upAtMs >= limits.stableMs
      if (stable) failures = 0
      const why = typeof opened === 'string' ? opened : await dialled.ended
      // An older broker hangs up without a word; but it also does so to refuse what it was just sent.
      const taken = why === takenOver || (why === hungUp && up?.resting() === true && !stable)
      up?.drop()
      takeovers = taken ? takeovers + 1 : 0
      if (takeovers >= limits.takeoversMin)
        note({ event: 'taken over', clientId: options.clientId, times: takeovers })
      if (stop.signal.aborted) return
      const retryMs = backOff(failures, limits.retryFirstMs, limits.retryMaxMs, random)
      failures += 1
      note({ event: 'disconnected', why, retryMs })
      await sleep(retryMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  }

  /** Lives on one connection until it ends. */
  async function serve(client: MqttClient, up: Link, ended: Promise<string>, version: 4 | 5) {
    const subscribed = new Set<string>()
    while (client.connected && subscribed.size < filters.size) {
      const more = [...filters.keys()].filter((filter) => !subscribed.has(filter))
      const taken = await Promise.all(more.map((filter) => up.subscribe(filter)))
      for (const [i, filter] of more.entries()) {
        subscribed.add(filter)
        if (taken[i] !== true) note({ event: 'refused', topic: filter })
      }
    }
    if (client.connected && !stop.signal.aborted) {
      link = up
      note({ event: 'connected', version })
      settle(({ done }) => done())
      for (const listener of listeners) listener()
    } else client.end(true)
    await ended
    link = undefined
  }

  function hear(topic: string, payload: Buffer, { retain }: { readonly retain: boolean }) {
    const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.length)
    for (const [filter, handlers] of filters)
      if (matches(filter, topic)) for (const handle of handlers) handle(topic, bytes, retain)
  }

  function settle(how: (one: Waiting) => void) {
    for (const one of waiting) {
      clearTimeout(one.timer)
      how(one)
    }
    waiting.clear()
  }
}

type Waiting = {
  readonly done: () => void
  readonly give: () => void
  readonly timer: ReturnType<typeof setTimeout>
}

/** One connection's two verbs, and its two ends. */
type Link = {
  publish(topic: string, payload: Uint8Array | string, retain: boolean): Promise<void>
  /** False when the broker refuses the filter; true also when the link falls first. */
  subscribe(filter: string): Promise<boolean>
  /** Waits for what is in flight, then disconnects in order; neither for longer than `leaveMs`. */
  end(): Promise<void>
  /** True when nothing is on its way. */
  resting(): boolean
  /** The link fell: nothing more comes back. */
  drop(): void
}

const takenOver = 'session taken over'
const hungUp = 'the broker closed the line'

/** One attempt: how it opened (or why not), and why it ended. */
function dial(options: BrokerOptions, limits: LinkLimits, version: 4 | 5) {
  const { url, clientId, username, password, will, keepSession = false } = options
  const { sessionS: sessionExpiryInterval, messageBytesMax: maximumPacketSize } = limits
  const client = connect(url, {
    clientId,
    protocolVersion: version,
    clean: !keepSession,
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: limits.connectMs,
    keepalive: limits.keepaliveS,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(will === undefined ? {} : { will: { ...will, payload: raw(will.payload), ...retained } }),
    ...(version === 5
      ? { properties: { maximumPacketSize, ...(keepSession ? { sessionExpiryInterval } : {}) } }
      : {}),
    ...options.tls?.(),
  })
  let why = hungUp
  let oldBroker = false
  client.on('error', (error: Error & { code?: number | string }) => {
    why = error.message
    // An older broker answers an MQTT 5 CONNECT with 3.1.1's code 1, or MQTT 5's own 0x84.
    oldBroker = error.code === 1 || error.code === 0x84
  })
  client.on('disconnect', ({ reasonCode }) => {
    why = reasonCode === 0x8e ? takenOver : `the broker disconnected us with code ${reasonCode}`
  })
  const ended = new Promise<string>((done) => client.once('close', () => done(why)))
  const opened = new Promise<IConnackPacket | string>((done) => {
    client.once('connect', done)
    client.once('close', () => done(oldBroker ? 'speaks 3.1.1' : why))
  })
  return { client, opened, ended }
}

const retained = { qos: 1, retain: true } as const

/** Publishes and subscribes over one open connection, within what the broker takes at once. */
function carry(client: MqttClient, connack: IConnackPacket, limits: LinkLimits, url: string): Link {
  const { receiveMaximum = 65_535, maximumPacketSize } = connack.properties ?? {}
  const flight = window(Math.min(limits.inFlightMax, receiveMaximum))
  const lost = () => fault('BROKER_LOST', { url })
  return {
    async publish(topic, payload, retain) {
      const bytes = raw(payload)
      // Topic and head need room too: 64 bytes more than the largest head of a publish.
      if (maximumPacketSize !== undefined && bytes.length + topic.length + 64 > maximumPacketSize)
        throw fault('BROKER_REFUSED', { url, topic })
      await flight.run((done) => {
        client.publish(topic, bytes, { qos: 1, retain }, (error) => {
          if (error == null) done()
          else done(client.connected ? fault('BROKER_REFUSED', { url, topic }, error) : lost())
        })
      }, lost)
    },
    subscribe: (filter) =>
      new Promise((done) => {
        client.subscribe(filter, { qos: 1 }, (error, granted) => {
          const taken = error == null && (granted?.every(({ qos }) => qos < 128) ?? false)
          done(taken || !client.connected)
        })
      }),
    async end() {
      const late = () => sleep(limits.leaveMs, undefined, { ref: false })
      await Promise.race([flight.idle(), late()])
      // mqtt.js waits for every answer and for the broker to hang up; a line that hangs brings neither.
      await Promise.race([client.endAsync(), late()])
      client.stream.destroy()
    },
    resting: () => flight.resting(),
    drop: () => flight.drop(),
  }
}

function raw(payload: Uint8Array | string): Buffer {
  return typeof payload === 'string'
    ? Buffer.from(payload)
    : Buffer.from(payload.buffer, payload.byteOffset, payload.length)
}
