/**
 * Frames that are whole and yet in no book: functions that makers have of their own, and registers that are
 * not of two bytes. What they mean only their maker knows; that they went over the line is worth a doubt.
 *
 *   01 42 8011               PZEM-004T v3: reset of its energy          (its manual, §2.7)
 *   f8 41 3721 b778          PZEM-004T v3: calibration                  (§2.8)
 *   01 04 01 03 0188         the meters of E-REDES: a register of one byte
 *   03 2b 0a 01020304 1517   what function 43 carries besides who a device is
 *
 * Source: MODBUS Application Protocol Specification V1.1b3 §5: 65 to 72 and 100 to 110 are anybody's.
 */
import { crcHolds } from './crc.ts'
import { frameSizeMax } from './request.ts'

/** Size of such a frame, whose CRC holds: 0 when none begins here, 'more' when it takes more to say. */
export function ownSize(bytes: Uint8Array): number | 'more' {
  const [, code = 0, count = 0] = bytes
  if (isOwn(code, count)) {
    for (let size = sizeLeast; size <= Math.min(bytes.length, sizeMost); size += 1) {
      if (crcHolds(bytes.subarray(0, size))) return size
    }
    return bytes.length < sizeMost ? 'more' : 0
  }
  const size = count + 5
  if (!holdsRegisters.includes(code) || count % 2 === 0 || size > frameSizeMax) return 0
  if (bytes.length < size) return 'more'
  return crcHolds(bytes.subarray(0, size)) ? size : 0
}

/** What an intact frame is called that has no known form. */
export function strangeness(frame: Uint8Array): [doubt: string, detail: string] {
  const [unit, code = 0, count = 0] = frame
  const where = `unit ${unit}, function ${code}`
  if (isOwn(code, count)) return ['function of its own', where]
  const isOdd = holdsRegisters.includes(code) && count % 2 === 1 && frame.length === count + 5
  return [isOdd ? 'odd number of bytes' : 'no frame of a known form', where]
}

/** Function 43 carries what others have agreed on, all but 14 (identity.ts). */
function isOwn(code: number, carried: number): boolean {
  return (
    (code >= 65 && code <= 72) || (code >= 100 && code <= 110) || (code === 43 && carried !== 14)
  )
}

const holdsRegisters = [3, 4, 23]

/** With more to try, noise would have a CRC too often. */
const sizeLeast = 4
const sizeMost = 12
