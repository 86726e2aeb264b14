/**
 * Cuts an epoch anew: the same readings, times and terms under another number, generation and predecessor.
 * Only for one that nobody was given: a number that went out is never sealed again with other content.
 */
import { fault } from '../faults.ts'
import { nonceSize, sealBody } from '../wire/envelope.ts'
import { decodeMessage, type Opened, openEpoch } from '../wire/epoch.ts'
import { encodePlace } from '../wire/header.ts'
import { epochKeys, salts } from '../wire/keytree.ts'
import { Malformed } from '../wire/malformed.ts'
import { leafHash, proofTree } from '../wire/merkle.ts'
import { treeHeadDigest } from '../wire/treehead.ts'
import { signHeader } from './header.ts'
import type { DeviceKey } from './key.ts'
import type { SealedRow } from './plan.ts'

export type Anew = {
  /** As it is stored: header, signature, body. */
  readonly message: Uint8Array
  /** Where it goes. */
  readonly at: {
    readonly generation: number
    readonly number: number
    readonly previous: Uint8Array
  }
  /** An epoch's leaf of the key tree. Throws GENERATION_MISSING. */
  readonly keys: (stream: string, generation: number, number: number) => Uint8Array
  readonly random: (length: number) => Uint8Array
}

export type CutAnew = {
  readonly row: SealedRow
  /** None in a clock map, which says the same in its new place. */
  readonly readings: Opened['readings']
}

/** Throws STORE_DAMAGED when the stored epoch is not what it was signed as, GENERATION_MISSING. */
export function cutAnew(key: DeviceKey, { message, at, keys, random }: Anew): CutAnew {
  const { header, body } = decodeMessage(message)
  const { stream, kind, boot, count } = header
  const anew = { ...header, ...at }
  if (kind === 'clock map') return { row: signHeader(key, { ...anew, kind }, body), readings: [] }
  if (kind !== 'readings' && kind !== 'interrupted')
    throw new RangeError(`cannot cut a ${kind} anew`)
  const { packs, readings } = openedBy(message, keys(stream, header.generation, header.number))

  const { content, salt, commitment } = epochKeys(keys(stream, at.generation, at.number))
  const salty = salts(salt, packs.length)
  const tree = proofTree()
  for (const [i, pack] of packs.entries()) tree.append(leafHash(salty[i] as Uint8Array, pack))
  const root = tree.root()
  const place = encodePlace({ device: key.device, stream, ...at })
  const sealed = sealBody({ content, nonce: random(nonceSize), place, packs })
  const unsigned = { ...anew, root, commitment }
  if (kind === 'readings') return { row: signHeader(key, { ...unsigned, kind }, sealed), readings }
  // What a crash cut short stays so, and its tree head is signed for the new place.
  const head = treeHeadDigest({ place, count, root, boot, monotonicMs: header.closedMonotonicMs })
  const sealedIn = header.interrupted?.boot ?? boot
  const interrupted = { boot: sealedIn, headSignature: key.sign(head) }
  return { row: signHeader(key, { ...unsigned, kind, interrupted }, sealed), readings }
}

function openedBy(message: Uint8Array, leaf: Uint8Array): Opened {
  const decoded = decodeMessage(message)
  try {
    return openEpoch(decoded, leaf)
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause
    const { stream, number } = decoded.header
    const what = `epoch ${number} of ${stream} does not open: ${cause.message}`
    throw fault('STORE_DAMAGED', { what }, cause)
  }
}
