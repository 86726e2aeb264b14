import { fault } from '../faults.ts'
import { equal } from '../wire/bytes.ts'
import { decodeCborFirst } from '../wire/cbor.ts'
import { nonceSize, sealBody } from '../wire/envelope.ts'
import { encodePlace } from '../wire/header.ts'
import { epochKeys, salts } from '../wire/keytree.ts'
import { leafHash, proofTree } from '../wire/merkle.ts'
import { signHeader } from './header.ts'
import type { DeviceKey } from './key.ts'
import type { OpenRow, SealedRow } from './plan.ts'

export type Interrupted = {
  readonly open: OpenRow & { readonly packs: Uint8Array }
  /** Its leaf of the key tree. */
  readonly leaf: Uint8Array
  /** The boot that seals it now. */
  readonly boot: string
  readonly random: (length: number) => Uint8Array
}

/** Headers for all that a crash left open, in the store's order. */
export function sealOpen(
  key: DeviceKey,
  open: readonly Interrupted['open'][],
  ground: Pick<Interrupted, 'boot' | 'random'> & { readonly keys: Keys },
): SealedRow[] {
  const { keys, ...rest } = ground
  return open.map((row) => {
    const leaf = keys(row.stream, row.generation, row.number)
    return sealInterrupted(key, { open: row, leaf, ...rest })
  })
}

/** An epoch's leaf of the key tree. */
type Keys = (stream: string, generation: number, number: number) => Uint8Array

/**
 * Seals an epoch that a crash cut short: it is its last tree head, and its header carries that signature.
 * Throws STORE_DAMAGED when the packs in the store are not the ones that the head signed.
 */
export function sealInterrupted(key: DeviceKey, interrupted: Interrupted): SealedRow {
  const { open, leaf, boot, random } = interrupted
  const packs = splitSequence(open.packs, open.stream)
  const keys = epochKeys(leaf)
  const salty = salts(keys.salt, packs.length)
  const tree = proofTree()
  for (const [i, pack] of packs.entries()) tree.append(leafHash(salty[i] as Uint8Array, pack))
  if (packs.length !== open.count || !equal(tree.root(), open.root)) {
    throw fault('STORE_DAMAGED', {
      what: `the waiting readings of ${open.stream} are not those of their signed tree head`,
    })
  }
  const { stream, generation, number, previous } = open
  const place = encodePlace({ device: key.device, stream, generation, number, previous })
  const { content } = keys
  const body = sealBody({ content, nonce: random(nonceSize), place, packs })
  const header = {
    kind: 'interrupted' as const,
    stream,
    generation,
    number,
    previous,
    clock: open.clock,
    count: open.count,
    root: open.root,
    boot: open.boot,
    openedMonotonicMs: open.openedMonotonicMs,
    closedMonotonicMs: open.headMonotonicMs,
    ...(open.openedWallMs == null ? {} : { openedWallMs: open.openedWallMs }),
    ...(open.headWallMs == null ? {} : { closedWallMs: open.headWallMs }),
    commitment: keys.commitment,
    terms: open.terms,
    setup: open.setup,
    interrupted: { boot, headSignature: open.signature },
  }
  return signHeader(key, header, body)
}

/** The packs of a CBOR sequence, each with the bytes it was written in. */
function splitSequence(sequence: Uint8Array, stream: string): Uint8Array[] {
  const packs: Uint8Array[] = []
  let rest = sequence
  while (rest.length > 0) {
    let behind: Uint8Array
    try {
      ;[, behind] = decodeCborFirst(rest, 'pack')
    } catch (cause) {
      throw fault('STORE_DAMAGED', { what: `a waiting reading of ${stream} is not CBOR` }, cause)
    }
    packs.push(rest.subarray(0, rest.length - behind.length))
    rest = behind
  }
  return packs
}
