/** Deterministic samples of what the wire carries, for tests and for the golden vectors. */
import { addressOf, sha256, sign } from '#crypto'
import type { Address } from '../../runtime/wire/address.ts'
import { utf8 } from '../../runtime/wire/bytes.ts'
import { signEnrolment } from '../../runtime/wire/enrolment.ts'
import { sealBody } from '../../runtime/wire/envelope.ts'
import type { Sealed } from '../../runtime/wire/epoch.ts'
import {
  encodeHeader,
  encodePlace,
  type Header,
  headerDigest,
  zeroHash,
} from '../../runtime/wire/header.ts'
import { epochKeys, leafKey, salts, streamRoot } from '../../runtime/wire/keytree.ts'
import { leafHash, proofTree } from '../../runtime/wire/merkle.ts'
import { encodePack, type Reading } from '../../runtime/wire/reading.ts'
import { treeHeadDigest } from '../../runtime/wire/treehead.ts'

/** A secret that anyone can make again: SHA-256 of a word. */
export const secretOf = (word: string | number) => sha256(utf8(`wayside test ${word}`))

export const deviceSecret = secretOf('device')
export const operatorSecret = secretOf('operator')
export const device: Address = addressOf(deviceSecret)
export const operator: Address = addressOf(operatorSecret)
export const boot = '000102030405060708090a0b0c0d0e0f'

export function sampleReading(i: number, pad = 0): Reading {
  const note = pad === 0 ? {} : { note: 'x'.repeat(pad) }
  return {
    stream: 'air',
    boot,
    monotonicMs: 10_000 + i * 1000,
    wallMs: 1_790_000_000_000 + i * 1000,
    values: { pm1: 5 + (i % 3), pm2_5: 8.5, pm10: 11, ...note },
    units: { pm1: 'ug/m3', pm2_5: 'ug/m3', pm10: 'ug/m3' },
  }
}

type SampleOptions = {
  readonly count: number
  readonly pad?: number
  readonly interrupted?: boolean
  readonly number?: number
  readonly previous?: Uint8Array
}

export function sampleEpoch(options: SampleOptions) {
  const { count, pad = 0, number = 41, previous = zeroHash, interrupted = false } = options
  const root = streamRoot(secretOf('generation 1'), 'air')
  const leaf = leafKey([root], number) as Uint8Array
  const keys = epochKeys(leaf)
  const readings = Array.from({ length: count }, (_, i) => sampleReading(i, pad))
  const packs = readings.map((reading) => encodePack(reading, device))
  const salty = salts(keys.salt, count)
  const tree = proofTree()
  for (const [i, pack] of packs.entries()) tree.append(leafHash(salty[i] as Uint8Array, pack))
  const place = encodePlace({ device, stream: 'air', generation: 1, number, previous })
  const nonce = secretOf('nonce').slice(0, 12)
  const body = sealBody({ content: keys.content, nonce, place, packs })
  const closedMonotonicMs = 10_000 + count * 1000
  const head = { place, count, root: tree.root(), boot, monotonicMs: closedMonotonicMs }
  const header: Header = {
    device,
    stream: 'air',
    generation: 1,
    number,
    previous,
    kind: interrupted ? 'interrupted' : 'readings',
    clock: 'synced',
    flags: 0,
    count,
    root: tree.root(),
    boot,
    openedMonotonicMs: 10_000,
    closedMonotonicMs,
    openedWallMs: 1_790_000_000_000,
    closedWallMs: 1_790_000_000_000 + count * 1000,
    bodyBytes: body.length,
    bodyHash: sha256(body),
    commitment: keys.commitment,
    terms: secretOf('terms'),
    setup: secretOf('setup'),
    ...(interrupted
      ? { interrupted: { boot, headSignature: sign(treeHeadDigest(head), deviceSecret) } }
      : {}),
  }
  const headerBytes = encodeHeader(header)
  const sealed: Sealed = {
    headerBytes,
    signature: sign(headerDigest(headerBytes), deviceSecret),
    body,
  }
  return { sealed, header, leaf, root, number, readings, opened: { packs, salts: salty, tree } }
}

/** The operator's enrolment of the sample device, or of another under the same key. */
export function enrolled(of: Address = device): Promise<Uint8Array> {
  const statement = { device: of, operator, signingKey: device, version: 1 }
  return signEnrolment(statement, async (digest) => sign(digest, operatorSecret))
}
