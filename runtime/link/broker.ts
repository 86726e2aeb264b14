/**
 * The line to an MQTT broker, kept up.
 *
 * mqtt.js is a transport here and no more: every connection is a fresh client that never reconnects by
 * itself and replays nothing (its store may drop QoS 1 messages when the link falls while it replays,
 * MQTT.js#2015). A publish is done when the broker acknowledged it, and lost when the link fell before:
 * who must deliver keeps the message until then.
 *
 * MQTT 5 is spoken where the broker can, because only there a refused publish is told from an accepted
 * one and a takeover has a name; else 3.1.1. Both carry the same payloads.
 */
import { Fault, fault } from '../faults.ts'
import { backOff } from '../time/backoff.ts'
import { bell } from '../time/bell.ts'
import { isWild, matches } from './filter.ts'
import { type LinkLimits, type LinkNote, linkLimits } from './limits.ts'
import { type Login, openLogin } from './login.ts'
import { type Dialled, dial, type Link } from './mqtt.ts'
import { type Ending, hungUpOn } from './reasons.ts'
import type { BrokerSettings } from './settings.ts'
import { type BrokerState, openStanding } from './standing.ts'
import { openSuspects, type Sent } from './suspects.ts'

export type Broker = {
  /**
   * Sends at QoS 1 and resolves at PUBACK. Rejects with BROKER_LOST when there is no link or it falls
   * first (the broker may have it all the same), with BROKER_REFUSED when the broker says no, as only MQTT 5
   * can, or hangs up whenever it is sent.
   */
  publish(
    topic: string,
    payload: Uint8Array | string,
    options?: { readonly retain?: boolean },
  ): Promise<void>
  /**
   * Hears a filter from now on, across reconnections. Resolves when the broker took it, or at once while
   * there is no link. Rejects with BROKER_REFUSED when the broker says no. The same handler once more has
   * the broker say again what it retains there.
   */
  subscribe(filter: string, handler: Handler): Promise<void>
  /** This handler hears that filter no more, and the broker forgets a filter that nobody hears. */
  unsubscribe(filter: string, handler: Handler): void
  connected(): boolean
  state(): BrokerState
  /**
   * Called after every connection, once all filters are subscribed again; now, when one stands. `forgot`
   * says that the broker had no session of ours: always so without `keepSession`.
   */
  onConnect(listener: (forgot: boolean) => void): void
  /**
   * Resolves at the first connection; rejects with BROKER_UNREACHABLE after `withinMs` without one, and at
   * once with BROKER_LOGIN, BROKER_TLS, BROKER_VERSION or BROKER_UNFIT while only a person can change that.
   */
  ready(withinMs?: number): Promise<void>
  /**
   * Sends what is in flight, takes leave (so the last will stays unsaid) and resolves when it is off. A
   * broker that does not answer in time is left without.
   */
  close(): Promise<void>
  /** Hangs up at once, for good, and without taking leave: so the broker says the last will. */
  vanish(): void
}

export type Handler = (topic: string, payload: Uint8Array, retained: boolean) => void

/** The settings stand as in a config; their files are read, and may be swapped while the line stands. */
export type BrokerOptions = BrokerSettings & {
  /** Two clients of one id throw each other out; a device uses its address. */
  readonly clientId: string
  /** What the broker says, retained, when this client vanishes. */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array | string }
  /** The broker keeps our subscriptions and queues for us while we are away. */
  readonly keepSession?: boolean
  readonly note?: (note: LinkNote) => void
  readonly limits?: Partial<LinkLimits>
  /** From 0 to below 1: the jitter of the back-off. */
  readonly random?: () => number
}

/**
 * Connects in the background and keeps connecting until closed. Throws
 * INPUT_UNREADABLE, KEY_EXPOSED or CERT_INVALID when a file of the login does not serve.
 */
export function openBroker(options: BrokerOptions): Broker {
  const limits = { ...linkLimits, ...options.limits }
  const { url, note = () => {}, random = Math.random } = options
  const filters = new Map<string, Handler[]>()
  const wild = new Set<string>()
  const listeners: ((forgot: boolean) => void)[] = []
  const suspects = openSuspects(limits)
  const stop = new AbortController()
  const standing = openStanding(options, limits, note)
  const waiting = waiters(url, standing.why)
  /** Rung when waiting has become pointless: there is another login to try. */
  const hurry = bell()
  let link: Link | undefined
  let version: 4 | 5 = options.version === '3.1.1' ? 4 : 5
  let made: Login | undefined
  let leaving: Promise<void> | undefined
  let hangUp = () => {}
  const files = openLogin(options, limits.filesMs, {
    taken(news) {
      standing.filesServe(news !== 'nothing')
      if (link === undefined) hurry.ring()
      else if (news === 'tls') leave(link)
    },
    kept: standing.filesFail,
  })

  const loop = Promise.all([keepConnected(), files.watch(stop.signal)])

  return {
    async publish(topic, payload, { retain = false } = {}) {
      if (link === undefined) throw fault('BROKER_LOST', { url })
      const sent = { topic, bytes: Buffer.byteLength(payload) }
      try {
        if (suspects.isAside(sent)) throw hungUpOn(url, topic, sent.bytes, 'set aside for now')
        await link.publish(topic, payload, retain)
        suspects.acked(sent)
        if (!suspects.has(topic)) standing.takes(topic)
      } catch (cause) {
        if (cause instanceof Fault && cause.code === 'BROKER_REFUSED')
          standing.refuses(topic, cause)
        throw cause
      }
    },
    async subscribe(filter, handler) {
      const handlers = filters.get(filter)
      if (isWild(filter)) wild.add(filter)
      if (handlers === undefined) filters.set(filter, [handler])
      else if (!handlers.includes(handler)) handlers.push(handler)
      const refused = await link?.subscribe(filter)
      if (refused === undefined) return
      standing.refuses(filter, refused)
      throw refused
    },
    unsubscribe(filter, handler) {
      const left = filters.get(filter)?.filter((one) => one !== handler) ?? []
      if (left.length > 0) filters.set(filter, left)
      else if (filters.delete(filter)) {
        wild.delete(filter)
        link?.unsubscribe(filter)
      }
    },
    connected: () => link !== undefined,
    state: () => ({
      connected: link !== undefined,
      ...(link === undefined ? {} : { version: spoken(version) }),
      ...standing.state(),
      ...(made?.untilMs === undefined ? {} : { certificateUntilMs: made.untilMs }),
    }),
    onConnect(listener) {
      listeners.push(listener)
      if (link !== undefined) listener(link.forgot)
    },
    ready(withinMs = limits.connectMs) {
      if (link !== undefined) return Promise.resolve()
      const shut = standing.shut()
      return shut === undefined ? waiting.wait(withinMs) : Promise.reject(shut)
    },
    close,
    vanish() {
      stop.abort()
      waiting.giveUp()
      hangUp()
    },
  }

  async function close() {
    stop.abort()
    waiting.giveUp()
    await link?.end()
    await loop
  }

  /** Takes leave of a connection in order, for a new one: what comes meanwhile is as without a link. */
  function leave(old: Link): void {
    link = undefined
    leaving = old.end()
  }

  async function keepConnected() {
    let failures = 0
    while (!stop.signal.aborted) {
      made = files.now()
      const login = made
      const dialled = dial({ ...options, limits, version, login, hear, width: suspects.width })
      hangUp = dialled.abandon
      stop.signal.addEventListener('abort', dialled.abandon)
      const opened = await dialled.opened
      stop.signal.removeEventListener('abort', dialled.abandon)
      const up = 'link' in opened ? opened.link : undefined
      const older = 'no' in opened && opened.no.kind === 'version' && version === 5
      if (older && options.version !== '5') {
        version = 4
        continue
      }
      if (up !== undefined) await serve(up, dialled, login)
      const ending = 'no' in opened ? opened.no : await dialled.ended
      const underway = up?.underway() ?? []
      up?.drop()
      if (stop.signal.aborted) return
      if (leaving !== undefined) {
        await leaving
        leaving = undefined
        standing.left()
        continue
      }
      const blamed = blame(ending, underway)
      const { stable, slow } = standing.down(ending, underway.length === 0, spoken(version))
      if (slow !== undefined) waiting.fail(slow)
      failures = slow !== undefined ? worst : stable || blamed ? 0 : failures
      const retryMs = backOff(failures, limits.retryFirstMs, limits.retryMaxMs, random)
      failures = slow !== undefined ? 0 : failures + 1
      note({ event: 'disconnected', why: ending.why, retryMs })
      await hurry.wait(retryMs, stop.signal)
    }
  }

  /** True when the line ended over a message that is set aside from now on. */
  function blame({ kind, why }: Ending, underway: readonly Sent[]): boolean {
    if (kind !== 'hung up' && kind !== 'message') return false
    const found = suspects.hungUp(underway)
    if (found === undefined) return false
    standing.refuses(found.topic, hungUpOn(url, found.topic, found.bytes, why))
    return true
  }

  /** Lives on one connection until it ends. */
  async function serve(up: Link, { ended, abandon }: Dialled, login: Login) {
    const subscribed = new Set<string>()
    const rest = () => [...filters.keys()].filter((filter) => !subscribed.has(filter))
    for (let more = rest(); up.open() && more.length > 0; more = rest()) {
      const refused = await Promise.all(more.map((filter) => up.subscribe(filter)))
      for (const [i, filter] of more.entries()) {
        subscribed.add(filter)
        const why = refused[i]
        if (why !== undefined) standing.refuses(filter, why)
      }
    }
    if (up.open() && !stop.signal.aborted) {
      link = up
      standing.up()
      note({ event: 'connected', version: spoken(version) })
      waiting.done()
      for (const listener of listeners) listener(up.forgot)
      if (files.now() !== login) leave(up)
    } else abandon()
    await ended
    link = undefined
  }

  function hear(topic: string, payload: Uint8Array, retained: boolean) {
    const heard = [...(filters.get(topic) ?? [])]
    // Whoever follows a thousand devices has thousands of filters, and few of them with wildcards.
    for (const filter of wild)
      if (matches(filter, topic)) heard.push(...(filters.get(filter) ?? []))
    for (const handle of heard) handle(topic, payload, retained)
  }
}

/** So many failures that the wait is drawn from the longest. */
const worst = 30

function spoken(version: 4 | 5): '3.1.1' | '5' {
  return version === 4 ? '3.1.1' : '5'
}

/** Who waits for the first connection. */
function waiters(url: string, why: () => string | undefined) {
  type Waiting = { done(): void; fail(why: Error): void; giveUp(): void }
  const all = new Set<Waiting & { readonly timer: ReturnType<typeof setTimeout> }>()
  const settle = (how: (one: Waiting) => void) => {
    for (const one of all) {
      clearTimeout(one.timer)
      how(one)
    }
    all.clear()
  }
  return {
    wait(withinMs: number): Promise<void> {
      return new Promise((done, fail) => {
        const giveUp = () => {
          const facts = { url, seconds: withinMs / 1000, why: why() ?? 'it does not answer at all' }
          fail(fault('BROKER_UNREACHABLE', facts))
        }
        all.add({ done, fail, giveUp, timer: setTimeout(giveUp, withinMs) })
      })
    },
    done: () => settle((one) => one.done()),
    fail: (why: Error) => settle((one) => one.fail(why)),
    giveUp: () => settle((one) => one.giveUp()),
  }
}
