/**
 * The watch over channels: reads what the chain says of them, in turns, so that a withdrawal is
 * seen long before its delay is over and a thousand channels cost an endpoint no more than a
 * hundred.
 */
import { whyOf } from '../faults.ts'
import type { Hex } from '../wire/bytes.ts'
import { type Channel, claimable, observe, type Seen } from './channel.ts'
import { deal } from './deal.ts'
import { isLive } from './desk.ts'
import type { Keeper } from './keeper.ts'
import type { Note } from './note.ts'

/**
 * Channels in one look: at the default of 30 s a thousand are seen every eight minutes, a day is
 * 1,440.
 */
export const perLookMax = 64
/** Asked at once. */
const atOnce = 8
/**
 * A channel that was not read for this part of its withdraw delay gets no acks. A device stops when
 * its last ack is half a delay old: so a quarter is left to claim in, whatever was withdrawn unseen.
 */
export const unseenPart = 4

/** What the chain says of a channel, k blocks deep; rejects when it cannot be asked. */
export type SeenOf = (channel: Pick<Channel, 'config' | 'rail'>) => Promise<Seen>

export function openWatch(parts: {
  readonly keeper: Keeper
  readonly seen: SeenOf
  readonly note: (note: Note) => void
}): { look(): Promise<void> } {
  const { keeper, seen, note } = parts
  const turns = new Map<Hex, number>()
  let turn = 0

  /** By channel: gateway time at which all endpoints agreed on it. */
  const agreedMs = new Map<Hex, number>()

  /** A withdrawal may have begun that nobody has seen: says so of what was not read for long. */
  function age(): void {
    const nowMs = keeper.nowMs()
    for (const channel of keeper.all()) {
      const { id, config, ended, unseen } = channel
      if (ended !== undefined || unseen === 'long') continue
      const atMs = agreedMs.get(id) ?? nowMs
      agreedMs.set(id, atMs)
      if (nowMs - atMs > (config.withdrawDelay * 1000) / unseenPart) {
        keeper.put({ ...channel, unseen: 'long' })
        note({ event: 'unseen', channel: id, sinceMs: atMs })
      }
    }
  }

  /** Why nobody on the chain's side answered, if so. */
  async function lookAt(channel: Channel): Promise<string | undefined> {
    let now: Seen
    try {
      now = await seen(channel)
    } catch (cause) {
      return whyOf(cause)
    }
    // Books may have come in meanwhile.
    const latest = keeper.get(channel.id) ?? channel
    const observed = observe(latest, now, keeper.nowMs())
    const next = now.doubt === undefined ? deal(observed) : observed
    if (differs(latest, next)) keeper.put(next)
    // A doubt was told with its endpoint; what the others say is looked at all the same.
    if (now.doubt === undefined) agreedMs.set(channel.id, keeper.nowMs())
    return undefined
  }

  return {
    async look() {
      turn += 1
      const due = [...keeper.all()]
        .filter((channel) => isLive(channel, keeper.nowMs()) || claimable(channel) > 0n)
        .sort((a, b) => (turns.get(a.id) ?? 0) - (turns.get(b.id) ?? 0))
        .slice(0, perLookMax)
      for (let at = 0; at < due.length; at += atOnce) {
        const some = due.slice(at, at + atOnce)
        for (const { id } of some) turns.set(id, turn)
        const failures = await Promise.all(some.map(lookAt))
        const why = failures.find((failure) => failure !== undefined)
        if (why === undefined) continue
        // An endpoint that fails eight would fail the rest; one line says it for all.
        note({ event: 'trouble', where: 'chain', why })
        break
      }
      age()
    },
  }
}

function differs(a: Channel, b: Channel): boolean {
  return (
    a.balance !== b.balance ||
    a.claimed !== b.claimed ||
    a.withdrawing !== b.withdrawing ||
    a.withdrawableS !== b.withdrawableS ||
    a.unseen !== b.unseen ||
    a.ended !== b.ended ||
    a.shortSinceMs !== b.shortSinceMs ||
    a.members !== b.members
  )
}
