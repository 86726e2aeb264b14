/**
 * Tag blocks (NMEA 0183 version 4, §7): `\g:1-2-27300,s:b003669710,c:1428621738*5F\` before a sentence.
 *
 *   g   part, of how many, group       c   when it was received, seconds or milliseconds since 1970, UTC
 *   s   the station                    n   line number
 *
 * The group is also written `1G2:27300`, as IEC 61162-450 does.
 */
import { xor8 } from '../../runtime/sense/driver.ts'

export type Tag = { readonly group?: string; readonly time?: string }

const backslash = 0x5c
/** 80 by the standard; stations write more. */
const tagMax = 160

/** Bytes of the tag block with both backslashes; 0 when there is none, 'more' when its end is not in hand. */
export function tagSize(bytes: Uint8Array): number | 'more' {
  if (bytes[0] !== backslash) return 0
  for (let at = 1; at < bytes.length && at < tagMax; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === backslash) return at === 1 ? 0 : at + 1
    if (byte < 0x20 || byte > 0x7e) return 0
  }
  return bytes.length < tagMax ? 'more' : 0
}

/** True when its checksum stands behind it and is right. */
export function tagHolds(tag: Uint8Array): boolean {
  const text = String.fromCharCode(...tag)
  const [, sum = ''] = /\*([0-9A-Fa-f]{2})\\$/.exec(text) ?? []
  return sum !== '' && xor8(tag.subarray(1, tag.length - 4)) === Number.parseInt(sum, 16)
}

export function readTag(tag: string): Tag {
  const group = /[\\,](?:g:\d+-\d+-|\d+G\d+:)(\w+)/.exec(tag)?.[1]
  const clock = /[\\,]c:(\d{9,10}|\d{12,13})[,*]/.exec(tag)?.[1]
  const time = clock === undefined ? undefined : timeOf(Number(clock))
  return { ...(group !== undefined && { group }), ...(time !== undefined && { time }) }
}

/** Undefined from a station whose clock was never set: there was no AIS before 1998. */
function timeOf(since1970: number): string | undefined {
  const ms = since1970 < 1e11 ? since1970 * 1000 : since1970
  return ms < Date.UTC(1998, 0) ? undefined : new Date(ms).toISOString().replace('.000', '')
}
