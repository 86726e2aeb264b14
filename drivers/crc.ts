/**
 * CRC-16, low bit first: a polynomial (as it stands when the bits are turned round) makes a table.
 *
 *   P1 (DSMR)       0xA001 (0x8005), begun with zeros       DSMR P1 Companion Standard 5.0.2 §6.2
 *   Modbus RTU      0xA001 (0x8005), begun with all ones    MODBUS over Serial Line V1.02 §6.2.2
 *   X.25 (SML)      0x8408 (0x1021), begun with all ones, then inverted      IEC 62056-46
 */
export function reflectedCrc(polynomial: number, begun: number) {
  const table = Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ polynomial : crc >> 1
    return crc
  })
  /** Of all bytes, or of those before `end`. */
  return (bytes: Uint8Array, end = bytes.length): number => {
    let crc = begun
    for (let at = 0; at < end; at += 1) {
      crc = (crc >> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number)
    }
    return crc
  }
}
