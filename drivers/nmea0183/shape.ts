/** Where a sentence begins and ends in the bytes of a line, and whether its checksum holds. */
import { xor8 } from '../../runtime/sense/driver.ts'
import { hexValue } from './cells.ts'

/**
 * A sentence ends behind its checksum, whatever follows: line ends, the next `$`, a binary message, or the
 * remarks that loggers add. One without a checksum ends at CR or LF.
 */
export function sentenceSizeAt(
  bytes: Uint8Array,
  from: number,
  end: number,
  ended: boolean,
): number | 'more' {
  if (bytes[from] !== dollar && bytes[from] !== exclamation) return 0
  let at = addressEnd(bytes, from + 1, Math.min(end, from + 1 + lettersMax))
  if (at === end) return ended ? 0 : 'more'
  if (bytes[at] !== comma && bytes[at] !== asterisk) return 0
  if (at - from - 1 < lettersMin) return 0
  for (;;) {
    while (at < end && isOf(plain, bytes[at])) at += 1
    if (at === end || bytes[at] !== asterisk) break
    if (at + 3 < end && hasChecksum(bytes, at, end)) return at + 3 - from
    at += 1
  }
  if (at === end) return ended ? at - from : 'more'
  if (bytes[at] === 0x0d || bytes[at] === 0x0a) return at - from
  return hasChecksum(bytes, at - 3, end) ? at - from : 0
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
  return hasChecksum(frame, star, frame.length) ? star : frame.length
}

/** Where the capital letters and digits end. */
function addressEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && isOf(capitalOrDigit, bytes[at])) at += 1
  return at
}

/** True when `*hh` stands at `star`, and no third digit or letter. */
function hasChecksum(bytes: Uint8Array, star: number, end: number): boolean {
  if (bytes[star] !== asterisk) return false
  const longer = star + 3 < end && isOf(alphanumeric, bytes[star + 3])
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

/** Of an address: so much tells a sentence from noise. */
const [lettersMin, lettersMax] = [3, 20]
