/**
 * Lost books: a gateway started from an old backup would give indexes twice and take acks back.
 * What it has signed stands retained at the broker, so it reads that first and does not start
 * behind it.
 */
import { fault } from '../faults.ts'
import type { Broker } from '../link/broker.ts'
import { pause } from '../time/pause.ts'
import { type Ack, decodeAcks, recoverAck } from '../wire/ack.ts'
import type { Address } from '../wire/address.ts'
import { type Hex, hex } from '../wire/bytes.ts'
import { decodeGrants, type Grant, recoverGrant } from '../wire/grant.ts'
import { Malformed } from '../wire/malformed.ts'
import type { Channel } from './channel.ts'

/** How long the broker has been silent when we believe to have heard all that it retains. */
const quietMs = 300
/** One that is never silent is listened to so long: ten thousand devices are said in a few seconds. */
const saidMs = 30_000

/**
 * Reads every grant and ack retained at the broker over a line of its own. Throws BOOKS_BEHIND when
 * this gateway signed one that goes beyond these channels; what others wrote there counts for
 * nothing. Throws the signal's reason when it comes first: nothing is known then.
 */
export async function checkLost(
  line: Pick<Broker, 'subscribe'>,
  gateway: Address,
  channels: Iterable<Channel>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map([...channels].map((channel) => [channel.id, channel]))
  const beganMs = performance.now()
  let beyond: string | undefined
  let heardAtMs = beganMs
  const hear = (check: (payload: Uint8Array) => readonly string[]) => {
    return (_: string, payload: Uint8Array, retained: boolean) => {
      if (!retained) return
      heardAtMs = performance.now()
      beyond ??= readable(() => check(payload))[0]
    }
  }
  await line.subscribe(
    'wayside/1/+/grant',
    hear((payload) => decodeGrants(payload).flatMap((grant) => beyondGrant(grant, known, gateway))),
  )
  await line.subscribe(
    'wayside/1/+/ack',
    hear((payload) => decodeAcks(payload).flatMap((ack) => beyondAck(ack, known, gateway))),
  )
  const isSaid = () => performance.now() - Math.min(heardAtMs + quietMs, beganMs + saidMs) >= 0
  while (beyond === undefined && !isSaid() && !signal.aborted) await pause(quietMs / 4, signal)
  if (beyond !== undefined) throw fault('BOOKS_BEHIND', { what: beyond })
  signal.throwIfAborted()
}

type Known = ReadonlyMap<Hex, Channel>

function beyondGrant(grant: Grant, known: Known, gateway: Address): readonly string[] {
  const channel = hex(grant.channelId)
  const member = known.get(channel)?.members[grant.index]
  if (member?.device === grant.device && member.cap >= grant.cap) return []
  if (recoverGrant(grant) !== gateway) return []
  return [`a grant of ${grant.cap} to ${grant.device} from channel ${channel}`]
}

function beyondAck(ack: Ack, known: Known, gateway: Address): readonly string[] {
  const channel = hex(ack.channelId)
  const acked = known.get(channel)?.acked
  if (acked !== undefined && acked.period >= ack.period) return []
  if (recoverAck(ack) !== gateway) return []
  return [`the ack of period ${ack.period} of channel ${channel}`]
}

function readable(read: () => readonly string[]): readonly string[] {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof Malformed) return []
    throw cause
  }
}
