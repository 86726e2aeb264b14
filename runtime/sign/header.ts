import { sha256 } from '#crypto'
import { encodeMessage } from '../wire/epoch.ts'
import { encodeHeader, type Header, headerDigest, headerHash } from '../wire/header.ts'
import { topics } from '../wire/topic.ts'
import type { DeviceKey } from './key.ts'
import type { SealedRow } from './plan.ts'

/** A header that wants its body and its signature; the kinds we write ourselves. */
export type Unsigned = Omit<Header, 'kind' | 'device' | 'flags' | 'bodyBytes' | 'bodyHash'> & {
  readonly kind: 'readings' | 'interrupted' | 'tombstone' | 'clock map' | 'generation'
}

/** Signs a header over its body; the row is all that the store keeps and sends of it. */
export function signHeader(key: DeviceKey, unsigned: Unsigned, body: Uint8Array): SealedRow {
  const header: Header = {
    ...unsigned,
    device: key.device,
    flags: 0,
    bodyBytes: body.length,
    bodyHash: sha256(body),
  }
  const headerBytes = encodeHeader(header)
  const signature = key.sign(headerDigest(headerBytes))
  const { stream, generation, number, kind, count, boot, terms } = unsigned
  return {
    stream,
    generation,
    number,
    kind,
    count,
    coveredMs: header.closedMonotonicMs - header.openedMonotonicMs,
    boot,
    openedMonotonicMs: header.openedMonotonicMs,
    openedWallMs: header.openedWallMs ?? null,
    closedMonotonicMs: header.closedMonotonicMs,
    closedWallMs: header.closedWallMs ?? null,
    terms,
    hash: headerHash(headerBytes),
    message: encodeMessage({ headerBytes, signature, body }),
    topic: topics(key.device).epoch(stream),
  }
}
