/**
 * What the gateway keeps retained at the broker: its offer, and each device's enrolment, grants and
 * acks.
 *
 * Every notice is made from the ledger at the moment it is sent, so the newest is always what goes,
 * a lost line loses nothing, and after a reconnection all of them are sent again. A topic is noted
 * in the ledger before its first message and cleared when there is nothing left to say: no retained
 * ghosts.
 */
import { Fault, whyOf } from '../faults.ts'
import { pause } from '../time/pause.ts'
import { type Ack, acksMax, encodeAcks, signAck } from '../wire/ack.ts'
import type { Address } from '../wire/address.ts'
import { type Hex, unhex } from '../wire/bytes.ts'
import { signEnrolment } from '../wire/enrolment.ts'
import { encodeGrants, type Grant, grantsMax, signGrant } from '../wire/grant.ts'
import type { Signer } from '../wire/signer.ts'
import { parseTopic, topics } from '../wire/topic.ts'
import type { Channel } from './channel.ts'
import type { Keeper, Place } from './keeper.ts'
import type { Ledger } from './ledger.ts'
import type { Note } from './note.ts'
import type { Register } from './register.ts'

export type NoticeKind = 'grant' | 'ack' | 'enrolment'

export type Notices = {
  /** This notice of that device may have changed. */
  touch(kind: NoticeKind, device: Address): void
  /** The line is new: everything is sent again. */
  touchAll(): void
  /** Sends what was touched, until the signal aborts; then what is left, while the line stands. */
  start(signal: AbortSignal): Promise<void>
}

/** Messages on their way at once. */
const windowMax = 32
/** Changes are gathered for so long: the books of a fleet make one message a device, not two. */
const gatherMs = 100

export type NoticesParts = {
  readonly keeper: Keeper
  readonly ledger: Ledger
  readonly register: Register
  readonly operator: Signer
  readonly gateway: Signer
  /** The signed offer, ready to send. */
  readonly offer: string
  /** Rejects when the line is down; empty payloads clear. */
  readonly publish: (topic: string, payload: Uint8Array | string) => Promise<void>
  readonly connected: () => boolean
  readonly note: (note: Note) => void
}

export function openNotices(parts: NoticesParts): Notices {
  const { register, connected, note } = parts
  const known = new Set(parts.ledger.notices())
  const dirty = new Set<string>()
  const send = sender(parts, known)

  async function sendOne(topic: string): Promise<boolean> {
    try {
      await send(topic)
      return true
    } catch (cause) {
      // What the broker forbids waits for the next change or connection, and holds up nobody.
      const forbidden = cause instanceof Fault && cause.code === 'BROKER_REFUSED'
      if (!forbidden) dirty.add(topic)
      if (connected()) note({ event: 'trouble', where: topic, why: whyOf(cause) })
      return forbidden
    }
  }

  async function sendAll(): Promise<void> {
    while (dirty.size > 0 && connected()) {
      const batch = [...dirty].slice(0, windowMax)
      for (const topic of batch) dirty.delete(topic)
      const done = await Promise.all(batch.map(sendOne))
      if (done.includes(false)) return
    }
  }

  return {
    touch: (kind, device) => void dirty.add(topics(device)[kind]),
    touchAll() {
      dirty.add(topics(register.operator).offer)
      for (const topic of known) dirty.add(topic)
      for (const device of register.devices()) {
        const { enrolment, grant, ack } = topics(device)
        for (const topic of [enrolment, grant, ack]) dirty.add(topic)
      }
    },
    async start(signal) {
      while (!signal.aborted) {
        await sendAll()
        await pause(gatherMs, signal)
      }
      await sendAll()
    },
  }
}

/** Sends the one notice of a topic, or clears it. Rejects when it did not arrive. */
function sender(parts: NoticesParts, known: Set<string>): (topic: string) => Promise<void> {
  const { ledger, publish } = parts
  const contentOf = contents(parts)
  return async (topic) => {
    const content = await contentOf(topic)
    if (content === undefined) {
      if (!known.has(topic)) return
      await publish(topic, '')
      ledger.save({ cleared: topic })
      known.delete(topic)
      return
    }
    if (!known.has(topic)) {
      ledger.save({ notice: topic })
      known.add(topic)
    }
    await publish(topic, content)
  }
}

/** What stands under a topic now; undefined when nothing does. */
function contents(parts: NoticesParts) {
  const { keeper, register, operator, gateway, offer } = parts
  const acks = new Map<Hex, { readonly of: Channel['acked']; readonly ack: Promise<Ack> }>()

  /** One ack serves every member of a channel, and signing it again gives the same bytes. */
  function ackOf({ id, acked }: Channel): Promise<Ack> {
    const made = acks.get(id)
    if (made?.of === acked) return made.ack
    const root = unhex(acked.root)
    const ack = signAck({ ...acked, root, channelId: unhex(id) }, gateway)
    acks.set(id, { of: acked, ack })
    return ack
  }

  function grantOf({ channel, index, member }: Place, version: number): Promise<Grant> {
    const { device, cap, untilMs } = member
    const channelId = unhex(channel.id)
    const registryVersion = BigInt(version)
    return signGrant({ channelId, device, index, cap, untilMs, registryVersion }, gateway)
  }

  return async (topic: string): Promise<Uint8Array | string | undefined> => {
    const parsed = parseTopic(topic)
    if (parsed === undefined) return undefined
    if (parsed.kind === 'offer') return parsed.seller === operator.address ? offer : undefined
    const registered = register.get(parsed.seller)
    if (registered === undefined) return undefined
    if (parsed.kind === 'enrolment') {
      const enrolment = { ...registered, operator: operator.address }
      return signEnrolment(enrolment, (digest) => operator.sign(digest))
    }
    const { version, device } = registered
    const places = keeper.of(device)
    if (places.length === 0) return undefined
    if (parsed.kind === 'grant') {
      // An empty list says that all have ended; a cleared topic would say nothing to who comes
      // late.
      const live = places.filter((place) => isGranted(place, keeper.nowMs())).slice(-grantsMax)
      return encodeGrants(await Promise.all(live.map((place) => grantOf(place, version))))
    }
    if (parsed.kind !== 'ack') return undefined
    const newest = places.map(({ channel }) => channel).sort(byTime)
    return encodeAcks(await Promise.all(newest.slice(0, acksMax).map(ackOf)))
  }
}

function byTime(a: Channel, b: Channel): number {
  return b.acked.timeMs - a.acked.timeMs
}

/** A channel that ended grants nothing any more; its last ack stays. */
function isGranted({ channel, member }: Place, nowMs: number): boolean {
  const { ended, withdrawing } = channel
  return ended === undefined && withdrawing === 0n && member.cap > 0n && member.untilMs > nowMs
}
