/** One of every clear statement, and the header that each stands under; for tests and golden vectors. */
import { sha256, sign } from '#crypto'
import { type ClearBody, encodeClearBody, ownStream } from '../../runtime/wire/clearbody.ts'
import type { Sealed } from '../../runtime/wire/epoch.ts'
import { encodeHeader, type Header, headerDigest, zeroHash } from '../../runtime/wire/header.ts'
import { boot, device, deviceSecret, secretOf } from './sample.ts'

const monotonicMs = 20_000
const wallMs = 1_790_000_010_000

export const sampleStatements: readonly ClearBody[] = [
  { kind: 'tombstone', from: 3, to: 40, last: secretOf('header 40'), reason: 'store full' },
  { kind: 'clock map', boot, monotonicMs, wallMs, quality: 'synced' },
  { kind: 'generation', generation: 2 },
]

export function statementHeader(said: ClearBody, over: Partial<Header>): Header {
  return {
    kind: said.kind,
    device,
    stream: said.kind === 'tombstone' ? 'air' : ownStream,
    generation: 2,
    number: 43,
    previous: secretOf('previous header'),
    clock: 'synced',
    flags: 0,
    count: 0,
    root: zeroHash,
    boot,
    openedMonotonicMs: monotonicMs,
    openedWallMs: wallMs,
    closedMonotonicMs: monotonicMs,
    closedWallMs: wallMs,
    bodyBytes: 0,
    bodyHash: zeroHash,
    commitment: zeroHash,
    terms: zeroHash,
    setup: zeroHash,
    ...over,
  }
}

/** The statement as the device signs and sends it. */
export function sampleStatement(said: ClearBody): Sealed & { readonly header: Header } {
  const body = encodeClearBody(said)
  const header = statementHeader(said, { bodyBytes: body.length, bodyHash: sha256(body) })
  const headerBytes = encodeHeader(header)
  return { header, headerBytes, signature: sign(headerDigest(headerBytes), deviceSecret), body }
}
