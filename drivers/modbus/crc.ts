/** CRC-16 of Modbus RTU: polynomial 0xA001 (reflected 0x8005), begun with all ones, low byte sent first. */
import { reflectedCrc } from '../crc.ts'

/** The CRC of these bytes. Source: MODBUS over Serial Line V1.02 §6.2.2. */
export const crc16 = reflectedCrc(0xa001, 0xffff)

/** True when the last two bytes are the CRC of those before them. */
export function crcHolds(frame: Uint8Array): boolean {
  if (frame.length < 4) return false
  const end = frame.length - 2
  const crc = crc16(frame, end)
  return frame[end] === (crc & 0xff) && frame[end + 1] === crc >> 8
}

/** These bytes with their CRC behind them. */
export function withCrc(bytes: readonly number[]): Uint8Array {
  const crc = crc16(Uint8Array.from(bytes))
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8)
}
