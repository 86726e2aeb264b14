/** What a buyer hears of one device, beside the answers in its session. */
import type { Address } from '../wire/address.ts'
import { equal, unhex } from '../wire/bytes.ts'
import { decodeGrants, recoverGrant } from '../wire/grant.ts'
import { Malformed } from '../wire/malformed.ts'
import { readIndex } from '../wire/shelf.ts'
import { topics } from '../wire/topic.ts'
import type { Feed } from './feed.ts'
import type { Till } from './index.ts'
import type { Listing } from './market.ts'
import type { Purse } from './purse.ts'
import type { Seller } from './seller.ts'
import type { Line } from './session.ts'
import type { Tally } from './tally.ts'

type Parts = {
  readonly line: Line
  readonly tally: Tally
  readonly till: Till | undefined
  /** Once aborted, the books are closed and nothing is heard any more. */
  readonly ending: AbortController
}

/** Hears a device's epochs, its index, and what its gateway grants it. */
export async function listen(parts: Parts, seller: Seller, { offer }: Listing): Promise<void> {
  const { line, till, ending } = parts
  const { device } = offer
  const topic = topics(device)
  const hear = (filter: string, take: (payload: Uint8Array) => void) =>
    line.subscribe(filter, (_topic, payload) => {
      if (ending.signal.aborted) return
      // An empty retained message is a topic that was cleared.
      if (payload.length > 0) unlessMalformed(parts, device, () => take(payload))
      seller.look()
    })
  for (const { meter, setup, take } of seller.feeds) {
    // Before the epochs: so a change of setup finds its document.
    await hear(topic.setup(meter.stream), setup.hear)
    await hear(topic.epoch(meter.stream), (payload) => take([payload]))
  }
  await hear(topic.index, (payload) => takeIndex(parts, seller.feeds, offer, payload))
  if (till === undefined) return
  await hear(topic.grant, (payload) => takeGrants(parts, till.purse, offer, payload))
}

type Signed = Pick<Listing['offer'], 'device' | 'signingKey' | 'gateway'>

/** The index says how far each stream has come; what we lack of it can be fetched. */
function takeIndex(
  { tally }: Parts,
  feeds: readonly Feed[],
  { device, signingKey }: Signed,
  payload: Uint8Array,
): void {
  const { index, signer } = readIndex(payload)
  if (signer !== signingKey || index.device !== device) {
    tally.finding('wrong signature', { device, why: 'of an index' })
    return
  }
  for (const feed of feeds) {
    feed.shelve(index.streams.find(({ stream }) => stream === feed.meter.stream))
  }
}

/** The gateway's word to the device says how much we may promise it. */
function takeGrants(
  { tally }: Parts,
  purse: Purse,
  { device, gateway }: Signed,
  payload: Uint8Array,
): void {
  for (const grant of decodeGrants(payload)) {
    if (grant.device !== device || !equal(grant.channelId, unhex(purse.channel.id))) continue
    if (recoverGrant(grant) === gateway) purse.grant(device, grant.cap)
    else tally.finding('wrong signature', { device, why: 'of a grant' })
  }
}

function unlessMalformed({ tally }: Parts, device: Address, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    tally.finding('malformed message', { device, why: error.message })
  }
}
