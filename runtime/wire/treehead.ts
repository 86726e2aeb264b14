/**
 * The tree head: the device's signature over an open epoch as far as it has come, made anew at every
 * commit and overwritten by the next. It is what makes every stored reading signed, and what an epoch
 * that a crash cut short is worth.
 */
import { sha256 } from '#crypto'
import { concat, unhex, utf8 } from './bytes.ts'

export type TreeHead = {
  /** The 96 bytes of the epoch's place. */
  readonly place: Uint8Array
  readonly count: number
  readonly root: Uint8Array
  /** 32 hex digits. */
  readonly boot: string
  /** When it was made; the closing time of an epoch that ends here. */
  readonly monotonicMs: number
}

/** SHA-256("wayside/1 head\0" ‖ place ‖ u32 count ‖ root ‖ boot ‖ u64 monotonic ms). */
export function treeHeadDigest(head: TreeHead): Uint8Array {
  const numbers = new Uint8Array(12)
  const view = new DataView(numbers.buffer)
  view.setUint32(0, head.count)
  view.setBigUint64(4, BigInt(head.monotonicMs))
  return sha256(
    concat(
      utf8('wayside/1 head\0'),
      head.place,
      numbers.subarray(0, 4),
      head.root,
      unhex(head.boot),
      numbers.subarray(4),
    ),
  )
}
