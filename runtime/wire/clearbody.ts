/**
 * What a device says in the clear: the bodies of the header kinds that carry no readings.
 *
 *   tombstone    { from, to, last, reason }            these numbers are gone; takes the next number itself
 *   clock map    { boot, monotonicMs, wallMs, quality } one instant on both clocks of one boot
 *   generation   { generation }                        from here on epochs are sealed under this secret
 *
 * Clock maps and generations stand in the device's own chain, stream `device`.
 */
import { hex, unhex } from './bytes.ts'
import {
  decodeShape,
  encodeShape,
  record,
  type Shape,
  bytes as sized,
  text,
  whole,
} from './cborshape.ts'
import type { Sealed } from './epoch.ts'
import type { Header } from './header.ts'
import { Malformed, must } from './malformed.ts'

/** Names the stream of the device's own chain. */
export const ownStream = 'device'

export type Tombstone = {
  /** First and last number of the stream that it stands for, both below its own. */
  readonly from: number
  readonly to: number
  /** Hash of header `to`, on which header `to + 1` builds. */
  readonly last: Uint8Array
  /** Why, for people: printable ASCII. */
  readonly reason: string
}

export type ClockMap = {
  /** 32 hex digits. */
  readonly boot: string
  readonly monotonicMs: number
  readonly wallMs: number
  readonly quality: 'rtc' | 'synced'
}

export type Generation = { readonly generation: number }

export type ClearBody =
  | ({ readonly kind: 'tombstone' } & Tombstone)
  | ({ readonly kind: 'clock map' } & ClockMap)
  | ({ readonly kind: 'generation' } & Generation)

/** Characters in a tombstone's reason. */
export const reasonMax = 200

/** The body's bytes; which kind it is stands in the header, not in them. */
export function encodeClearBody(body: ClearBody): Uint8Array {
  const { kind, ...members } = body
  return encodeShape(shapes[kind] as Shape<object>, members)
}

/** What a clear body says, and that it fits its header. Throws Malformed, also for kinds of later versions. */
export function readClearBody({
  header,
  body,
}: Pick<Sealed, 'body'> & { header: Header }): ClearBody {
  const said = decodeClearBody(header.kind, body)
  if (said.kind === 'tombstone') {
    must(said.from <= said.to, 'tombstone: ends before it begins')
    must(said.to < header.number, 'tombstone: stands for numbers that were not used yet')
  } else {
    must(header.stream === ownStream, `${said.kind}: not in the chain of the device`)
    const fits =
      said.kind === 'generation' ? said.generation === header.generation : said.boot === header.boot
    must(fits, `${said.kind}: says otherwise than its header`)
  }
  return said
}

/** Reads the body of a header of that kind. Throws Malformed. */
export function decodeClearBody(kind: Header['kind'], bytes: Uint8Array): ClearBody {
  if (kind === 'tombstone') return { kind, ...decodeShape(shapes[kind], bytes, kind) }
  if (kind === 'clock map') return { kind, ...decodeShape(shapes[kind], bytes, kind) }
  if (kind === 'generation') return { kind, ...decodeShape(shapes[kind], bytes, kind) }
  throw new Malformed('body: of a kind that has no clear body here')
}

const ms = whole(53)
const boot: Shape<string> = {
  write: (value) => sized(16).write(unhex(value)),
  read: (value, what) => hex(sized(16).read(value, what)).slice(2),
}

const shapes = {
  tombstone: record<Tombstone>({
    from: whole(32),
    to: whole(32),
    last: sized(32),
    reason: text((reason) => reason.length <= reasonMax && /^[ -~]*$/.test(reason)),
  }),
  'clock map': record<ClockMap>({
    boot,
    monotonicMs: ms,
    wallMs: ms,
    quality: text((quality) => quality === 'rtc' || quality === 'synced') as Shape<
      ClockMap['quality']
    >,
  }),
  generation: record<Generation>({ generation: whole(32) }),
}
