/**
 * The operator's gateway: the fleet's one desk at the broker. It tells devices which channels are
 * open and how deep (grants), tells them when a buyer's books are safe (acks), and enrols the
 * devices of its register. It never sees a reading or a key.
 *
 * The device trusts its operator for exactly this, so the rules are in pure files beside (channel,
 * deal, books) and the durable memory is one file; here they are wired to broker, chain and clock.
 */
import { once } from 'node:events'
import type { Broker } from '../link/broker.ts'
import { pause } from '../time/pause.ts'
import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import type { ChannelConfig, Rail } from '../wire/channel.ts'
import type { HpkeKey } from '../wire/hpke.ts'
import type { Offer, OfferedRail } from '../wire/offer.ts'
import { signDocumentAsync } from '../wire/signed.ts'
import type { Signer } from '../wire/signer.ts'
import { parseTopic, topics } from '../wire/topic.ts'
import { ackAgain, type Channel, joinFleet, type Seen } from './channel.ts'
import { deal } from './deal.ts'
import { type Desk, isLive, openDesk } from './desk.ts'
import { type Changed, type Keeper, openKeeper } from './keeper.ts'
import type { Ledger } from './ledger.ts'
import { type DeskLimits, deskLimits } from './limits.ts'
import type { Note } from './note.ts'
import { type Notices, openNotices } from './notices.ts'
import type { Register } from './register.ts'
import { openSessions } from './sessions.ts'
import { timeOfDay } from './timeofday.ts'
import { openWatch, type SeenOf } from './watch.ts'

export type GatewayParts = {
  readonly broker: Pick<Broker, 'publish' | 'subscribe' | 'connected' | 'onConnect'>
  readonly ledger: Ledger
  readonly register: Register
  /** Signs enrolments and the offer. */
  readonly operator: Signer
  /** Signs grants and acks: the receiverAuthorizer of every channel here, and of none elsewhere. */
  readonly gateway: Signer
  readonly hpke: HpkeKey
  readonly receiver: Address
  readonly rails: readonly OfferedRail[]
  /** Seconds. */
  readonly withdrawDelayMinS: number
  /** What the chain says of a channel, k blocks deep; rejects when it cannot be asked. */
  readonly seen: (config: ChannelConfig, rail: Rail) => Promise<Seen>
  /** How often the chain is read, and how often every channel is acked though nothing changed. */
  readonly lookMs: number
  readonly ackMs: number
  readonly note: (note: Note) => void
  /** Time of the newest block that all endpoints have, seconds; what is signed is not far ahead of it. */
  readonly chainS?: () => Promise<number>
  /** Called after every look: the settler's turn. */
  readonly looked?: () => Promise<void>
  readonly limits?: Partial<DeskLimits>
  readonly wallMs?: () => number
  readonly monotonicMs?: () => number
}

export type Gateway = {
  channels(): Iterable<Channel>
  /** The books, for the settler. */
  readonly keeper: Keeper
  /** The wall clock is so far ahead of the chain that it is not signed. */
  isAstray(): boolean
  /**
   * Reads the chain for the channels whose turn it is. Never throws: what fails is tried next time.
   */
  look(): Promise<void>
  /** Works until the signal aborts, then sends what is left to say. */
  start(signal: AbortSignal): Promise<void>
}

export async function openGateway(parts: GatewayParts): Promise<Gateway> {
  const { broker, ledger, register, note, ackMs, lookMs } = parts
  const monotonicMs = parts.monotonicMs ?? (() => performance.now())
  const limits = { ...deskLimits, ...parts.limits }
  let notices: Notices | undefined
  const changed: Changed = (kind, device) => notices?.touch(kind, device)
  const time = timeOfDay(parts.wallMs ?? Date.now, monotonicMs, (aheadMs) => {
    note({ event: 'clock astray', aheadMs })
  })
  const keeper = openKeeper({ ledger, wallMs: time.nowMs, changed, note })
  const send = (session: string, message: Uint8Array) => {
    // A lost answer is asked for again.
    broker.publish(topics(register.operator).answer(session), message).catch(() => {})
  }
  const { nowMs } = keeper
  for (const channel of keeper.all()) {
    const now = deal(joinFleet(channel, register.devices(), nowMs()))
    if (now !== channel) keeper.put(now)
  }
  const sessions = openSessions({ ledger, send, note, nowMs, monotonicMs, limits })
  const seen: SeenOf = ({ config, rail }) => parts.seen(config, rail)
  const watch = openWatch({ keeper, seen, note })
  const ground = groundOf(parts)
  const desk = openDesk({ ...parts, keeper, sessions, ground, seen, monotonicMs, limits })
  const publish = (topic: string, payload: Uint8Array | string) =>
    broker.publish(topic, payload, { retain: true })
  const offer = await signedOffer(parts)
  const { connected } = broker
  notices = openNotices({ ...parts, keeper, offer, publish, connected })

  async function look(): Promise<void> {
    // Whoever needs an endpoint tells of one that fails.
    await parts.chainS?.().then(time.hear, () => {})
    await watch.look()
    await desk.look()
    await parts.looked?.()
  }

  async function ackAll(): Promise<void> {
    for (const channel of keeper.all()) {
      if (isLive(channel, nowMs())) keeper.put(ackAgain(channel, nowMs()))
    }
    desk.sweep()
  }

  return {
    channels: () => keeper.all(),
    keeper,
    isAstray: time.isAstray,
    look,
    async start(signal) {
      const broken = Promise.withResolvers<never>()
      broker.onConnect(() => notices?.touchAll())
      const seenOnce = Promise.withResolvers<void>()
      const looking = every(lookMs, signal, () => look().finally(seenOnce.resolve))
      // Its end is awaited below; until then it may not be unheard of.
      looking.catch(() => {})
      // What happened while we were away comes before what buyers say of it now.
      await Promise.race([seenOnce.promise, pause(limits.firstLookMs, signal)])
      await listen(broker, register, desk, broken.reject)
      note({ event: 'ready', operator: register.operator, gateway: parts.gateway.address })
      const loops = [looking, every(ackMs, signal, ackAll), notices?.start(signal)]
      const ended = new AbortController()
      const overdue = after(signal, limits.endMs, ended.signal)
      try {
        await Promise.race([Promise.all(loops), broken.promise, overdue])
      } finally {
        ended.abort()
      }
    },
  }
}

async function listen(
  broker: GatewayParts['broker'],
  register: Register,
  desk: Desk,
  broken: (cause: unknown) => void,
): Promise<void> {
  const sold = newestOf(desk.sold)
  await broker.subscribe(topics(register.operator).ask, (_, payload) => {
    desk.ask(payload).catch(broken)
  })
  await broker.subscribe(everySold, (topic, payload) => {
    const parsed = parseTopic(topic)
    // One waits for each device of ours; a stranger's would wait without bound.
    const isOurs = parsed !== undefined && register.get(parsed.seller) !== undefined
    if (isOurs) sold(parsed.seller, payload).catch(broken)
  })
}

const everySold = 'wayside/1/+/sold'

/** Where money may come from and whose it becomes, as orders are held to it. */
function groundOf({ rails, receiver, gateway, withdrawDelayMinS }: GatewayParts) {
  return {
    tokens: rails.map(({ chainId, settlement, token }) => ({ chainId, settlement, token })),
    receiver,
    receiverAuthorizer: gateway.address,
    withdrawDelayMin: withdrawDelayMinS,
  }
}

/** The offer under the operator's own address: nothing for sale, only how to reach and pay us. */
async function signedOffer(parts: GatewayParts): Promise<string> {
  const { ledger, operator, gateway, hpke, receiver, rails, withdrawDelayMinS } = parts
  const version = ledger.offerVersion() + 1
  ledger.save({ offerVersion: version })
  const offer: Offer = {
    version,
    device: operator.address,
    operator: operator.address,
    signingKey: operator.address,
    hpke: hex(hpke.publicKey),
    receiver,
    gateway: gateway.address,
    rails: [...rails],
    withdrawDelayMinS,
    streams: [],
  }
  return signDocumentAsync('offer', offer, (digest) => operator.sign(digest))
}

/**
 * Calls once a message, one at a time; of a device that says more meanwhile only the newest counts.
 */
function newestOf(take: (device: Address, payload: Uint8Array) => Promise<void>) {
  const waiting = new Map<Address, Uint8Array>()
  let busy = false
  return async (device: Address, payload: Uint8Array): Promise<void> => {
    waiting.set(device, payload)
    if (busy) return
    busy = true
    try {
      for (const [next, newest] of waiting) {
        waiting.delete(next)
        await take(next, newest)
      }
    } finally {
      busy = false
    }
  }
}

/** Resolves so long after `signal`, or once it no longer matters. */
async function after(signal: AbortSignal, ms: number, ended: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort', { signal: ended }).catch(() => {})
  if (!ended.aborted) await pause(ms, ended)
}

async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work()
    await pause(ms, signal)
  }
}
