/**
 * Lost books: is this store older than what this very device has published? An older image was put back, or
 * only the keys of it. What tells is the newest index that the device left at its broker: it is signed by
 * the device itself, its version only grows, and it is on the disk before it is sent. So nobody else can
 * make one, an old one that is said again proves nothing, and one that we do not have proves everything.
 *
 * Pure: bytes in, a verdict out.
 */
import type { Address } from '../wire/address.ts'
import { equal } from '../wire/bytes.ts'
import { Malformed } from '../wire/malformed.ts'
import { type Index, readIndex } from '../wire/shelf.ts'

/** Whose word counts: the device's own, under its own key. */
export type Self = { readonly device: Address; readonly signingKey: Address }

export type Verdict =
  /** Byte for byte what we wrote, or older: no harm. */
  | { readonly kind: 'known' }
  /** Not a word of ours, whoever said it. */
  | { readonly kind: 'foreign' }
  /** Ours, and we know nothing of it; `what` says which number is here and which there. */
  | { readonly kind: 'ahead'; readonly what: string }

/** Compares the newest index that we wrote (undefined: none) with one that was heard. */
export function compare(ours: Uint8Array | undefined, heard: Uint8Array, self: Self): Verdict {
  const there = readOwn(heard, self)
  if (there === undefined) return { kind: 'foreign' }
  const here = ours === undefined ? undefined : readOwn(ours, self)
  const version = here?.version ?? 0
  if (there.version < version) return { kind: 'known' }
  const same = there.version === version && ours !== undefined && equal(ours, heard)
  return same ? { kind: 'known' } : { kind: 'ahead', what: wordsOf(here, there) }
}

/** The index in these bytes; undefined unless this device signed it of itself. */
export function readOwn(payload: Uint8Array, { device, signingKey }: Self): Index | undefined {
  try {
    const { index, signer } = readIndex(payload)
    return signer === signingKey && index.device === device ? index : undefined
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

/** The first stream that tells: which number there, which here. */
function wordsOf(here: Index | undefined, there: Index): string {
  for (const { stream, last, lastHash } of there.streams) {
    const ours = here?.streams.find((one) => one.stream === stream)
    const number = ours?.last.number ?? 0
    if (last.number > number)
      return `stream ${stream} has come to ${last.number}, here to ${number}`
    if (last.number === number && ours?.lastHash !== lastHash) {
      return `epoch ${number} of stream ${stream} is another one here`
    }
  }
  return `its index has come to version ${there.version}, here to ${here?.version ?? 0}`
}
