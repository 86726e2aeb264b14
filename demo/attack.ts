/**
 * What somebody can do with everything that crosses the broker and not one key of their own.
 *
 * Three attempts on every sealed epoch: each 32 bytes that were seen anywhere, as its key-tree leaf; each
 * 32 bytes that a document spells out, as its content key, as the stream's root and as a node of the tree's
 * last eight levels; and, where an epoch holds one reading, each reading that the sensor could
 * plausibly have made, against the proof tree's root. Given one paid key, the same code opens exactly the
 * epoch that was paid for.
 */
import { hmacSha256, sha256 } from '#crypto'
import { hex, unhex } from '../runtime/wire/bytes.ts'
import { openBody } from '../runtime/wire/envelope.ts'
import { carriesReadings, type Message, openEpoch } from '../runtime/wire/epoch.ts'
import { encodePlace, type Header } from '../runtime/wire/header.ts'
import { commitmentOf, keyTreeDepth } from '../runtime/wire/keytree.ts'
import { Malformed } from '../runtime/wire/malformed.ts'
import { leafHash } from '../runtime/wire/merkle.ts'
import { encodePack, type Reading } from '../runtime/wire/reading.ts'

/** Everything that was overheard: sealed epochs, and 32-byte pieces of anything, in hex. */
export type Overheard = {
  readonly epochs: readonly Message[]
  /**
   * Every window of 32 bytes of every message that is not an epoch, and every hash of a header, by the
   * commitment of the epoch that it would be the key of.
   */
  readonly pieces: ReadonlyMap<string, string>
  /** Those that a document spells out in hex. */
  readonly fields: ReadonlySet<string>
}

/** What a sensor of this stream could have said; the attacker knows the make, the time and the fields. */
export type Plausible = (header: Header) => Iterable<Reading>

export type Attack = {
  /** Sealed epochs that were tried. */
  readonly seen: number
  /** `<stream>/<number>` of each that opened, by whatever way. */
  readonly opened: readonly string[]
  readonly tried: { readonly keys: number; readonly guesses: number }
}

/** Each window of 32 bytes, beside the commitment of the epoch that it would be the key of. */
export function* pieces(payload: Uint8Array): Generator<readonly [string, string]> {
  for (let at = 0; at + 32 <= payload.length; at += 1) {
    const piece = payload.subarray(at, at + 32)
    yield [hex(commitmentOf(piece)), hex(piece)]
  }
}

/** The 32-byte values that are spelled as hex in a text. */
export function spelled(text: string): string[] {
  return [...text.matchAll(/0x[0-9a-f]{64}(?![0-9a-f])/g)].map(([value]) => value)
}

export function attack(overheard: Overheard, plausible: Plausible): Attack {
  const sealed = overheard.epochs.filter(({ header }) => carriesReadings(header))
  const byCommitment = new Map(sealed.map((epoch) => [hex(epoch.header.commitment), epoch]))
  const opened = new Set<string>()
  const note = ({ header }: Message) => opened.add(`${header.stream}/${header.number}`)

  const tryLeaf = (epoch: Message | undefined, leaf: Uint8Array) => {
    if (epoch !== undefined && opens(() => openEpoch(epoch, leaf))) note(epoch)
  }
  for (const epoch of sealed) {
    const piece = overheard.pieces.get(hex(epoch.header.commitment))
    if (piece !== undefined) tryLeaf(epoch, unhex(piece))
  }
  const numbers = [...new Set(sealed.map(({ header }) => header.number))]
  for (const field of overheard.fields) {
    const key = unhex(field)
    for (const epoch of sealed) {
      if (opens(() => openBody(epoch.body, key, encodePlace(epoch.header)))) note(epoch)
    }
    for (const depth of nodeDepths) {
      for (const leaf of leavesBelow(key, depth, numbers)) {
        tryLeaf(byCommitment.get(hex(commitmentOf(leaf))), leaf)
      }
    }
  }
  let guesses = 0
  for (const epoch of sealed.filter(({ header }) => header.count === 1)) {
    for (const reading of plausible(epoch.header)) {
      guesses += 1
      if (isThis(epoch.header, reading)) note(epoch)
    }
  }
  const keys = overheard.pieces.size + overheard.fields.size
  return { seen: sealed.length, opened: [...opened], tried: { keys, guesses } }
}

/** A value could be the root of the key tree, or a node of its last eight levels. */
const nodeDepths = [0, 24, 25, 26, 27, 28, 29, 30, 31, 32]

/** The leaves of these epoch numbers, each once, if the key were a node above them at that depth. */
function leavesBelow(key: Uint8Array, depth: number, numbers: readonly number[]): Uint8Array[] {
  if (numbers.length === 0) return []
  if (depth === keyTreeDepth) return [key]
  return [0, 1].flatMap((bit) => {
    const below = numbers.filter(
      (number) => Math.floor(number / 2 ** (keyTreeDepth - 1 - depth)) % 2 === bit,
    )
    if (below.length === 0) return []
    return leavesBelow(hmacSha256(key, Uint8Array.of(bit)), depth + 1, below)
  })
}

/** True when this reading, without a salt or with one that follows from the header, gives the root. */
function isThis(header: Header, reading: Reading): boolean {
  const pack = encodePack(reading, header.device)
  const salts = [new Uint8Array(0), new Uint8Array(16), header.commitment.slice(0, 16)]
  const root = hex(header.root)
  return salts.some((salt) => hex(leafHash(salt, pack)) === root) || hex(sha256(pack)) === root
}

function opens(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch (error) {
    if (error instanceof Malformed) return false
    throw error
  }
}
