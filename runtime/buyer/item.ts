/** A reading as it is handed out: verified, and able to prove itself to others. */
import type { Address } from '../wire/address.ts'
import { type Hex, hex } from '../wire/bytes.ts'
import type { Message, Opened } from '../wire/epoch.ts'
import { makeEvidence } from '../wire/evidence.ts'
import { leafHash, type ProofTree, proofTree } from '../wire/merkle.ts'
import type { Terms } from '../wire/terms.ts'
import type { Placed } from './lines.ts'

/**
 * One verified reading. What was checked before it got here: the header's signature by the key that the
 * device's id or its operator's enrolment names; its place in the stream's chain of headers; the terms,
 * which are those that were ordered; the key, against the header's commitment; the seal, bound to the
 * place; and that exactly these readings make the signed root.
 */
export type Verified = Placed & {
  readonly stream: string
  readonly terms: Terms
  /** Hash of the signed setup that was in force: sensor, calibration, place, driver. */
  readonly setup: Hex
  /** Evidence for `wayside verify`: this reading, its proof, and nothing of its neighbours. */
  evidence(): Uint8Array
}

/** A verified reading, for whoever reads. */
export type Item = Verified & {
  /**
   * Says that it is done with: a resumed run begins behind it. Asking for the next one says it too; say it
   * before breaking off, or this one comes again.
   */
  taken(): void
}

/** The items of an opened epoch, in their order. */
export function itemsOf(
  message: Message,
  opened: Opened,
  about: { readonly terms: Terms; readonly enrolment?: Uint8Array },
): Verified[] {
  const { device, stream, generation, number: epoch } = message.header
  const { terms, enrolment } = about
  const setup = hex(message.header.setup)
  let tree: ProofTree | undefined
  // Most readings are never asked to prove themselves; the tree is built for the first that is.
  const path = (index: number) => {
    tree ??= treeOf(opened)
    return tree.path(index)
  }
  return opened.readings.map((reading, index) => ({
    device: device as Address,
    stream,
    generation,
    epoch,
    index,
    reading,
    terms,
    setup,
    evidence: () =>
      makeEvidence({
        pack: opened.packs[index] as Uint8Array,
        salt: opened.salts[index] as Uint8Array,
        index,
        path: path(index),
        headerBytes: message.headerBytes,
        signature: message.signature,
        ...(enrolment === undefined ? {} : { enrolment }),
      }),
  }))
}

function treeOf({ packs, salts }: Opened): ProofTree {
  const tree = proofTree()
  for (const [i, pack] of packs.entries()) tree.append(leafHash(salts[i] as Uint8Array, pack))
  return tree
}
