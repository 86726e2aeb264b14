/** Where a sentence begins and ends in the bytes of a line, and whether its checksum holds. */
import { xor8 } from '../../runtime/sense/driver.ts'
import { hexValue } from './cells.ts'

/**
 * A sentence ends behind its checksum, whatever follows: line ends, the next `$`, a binary message, or the
 * remarks that loggers add. One without a checksum ends at CR or LF.
 */
export function sentenceSize(bytes: Uint8Array, ended: boolean): number | 'more' {
  const end = bytes.length
  let at = 1
  let sum = false
  for (;;) {
    while (at < end && isOf(plain, bytes[at])) at += 1
    if (at === end || bytes[at] !== asterisk) break
    sum = at + 3 < end && hasChecksum(bytes, at)
    if (sum) break
    at += 1
  }
  const head = Math.min(at + 1, addressMax, end)
  const complete = at < end || ended
  if (!beginsSentence(bytes, head, complete || head === addressMax)) return 0
  if (sum) return at + 3
  if (!complete) return 'more'
  const next = bytes[at]
  if (next === undefined || next === 0x0d || next === 0x0a) return at
  return hasChecksum(bytes, at - 3) ? at : 0
}

export function checksumFlaw(frame: Uint8Array): string | undefined {
  const star = starOf(frame)
  if (star === frame.length) return undefined
  const sum = 16 * hexValue(frame[star + 1]) + hexValue(frame[star + 2])
  return xor8(frame, 1, star) === sum ? undefined : 'bad checksum'
}

/** Where the `*` of the checksum stands; the whole length when there is none. */
export function starOf(frame: Uint8Array): number {
  const star = frame.length - 3
  return hasChecksum(frame, star) ? star : frame.length
}

/** True when `[$!][A-Z0-9]{3,20}[,*]` is how these bytes begin, or, not `whole`, may still begin. */
function beginsSentence(bytes: Uint8Array, end: number, whole: boolean): boolean {
  if (bytes[0] !== dollar && bytes[0] !== exclamation) return false
  let at = 1
  while (at < end && isOf(capitalOrDigit, bytes[at])) at += 1
  const letters = at - 1
  if (letters > lettersMax) return false
  if (at === end) return !whole
  return (bytes[at] === comma || bytes[at] === asterisk) && (!whole || letters >= lettersMin)
}

/** True when `*hh` stands at `star`, and no third digit or letter. */
function hasChecksum(bytes: Uint8Array, star: number): boolean {
  if (bytes[star] !== asterisk) return false
  const longer = star + 3 < bytes.length && isOf(alphanumeric, bytes[star + 3])
  return hexValue(bytes[star + 1]) >= 0 && hexValue(bytes[star + 2]) >= 0 && !longer
}

function isOf(kind: number, byte = 0): boolean {
  return ((kinds[byte] as number) & kind) !== 0
}

/** What a byte can be in a sentence; an asterisk or a dollar is none of it, since they may end one. */
const [plain, capitalOrDigit, alphanumeric] = [1, 2, 4]
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte)
  return (
    (/[\t -#%-)+-~]/.test(letter) ? plain : 0) |
    (/[A-Z0-9]/.test(letter) ? capitalOrDigit : 0) |
    (/[A-Za-z0-9]/.test(letter) ? alphanumeric : 0)
  )
})

const dollar = 0x24
const exclamation = 0x21
const asterisk = 0x2a
const comma = 0x2c

/** The start character, an address and what follows it: so much tells a sentence from noise. */
const [lettersMin, lettersMax] = [3, 20]
const addressMax = lettersMax + 2
