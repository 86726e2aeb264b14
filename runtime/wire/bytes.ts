/** Bytes and their spellings. */

export type Hex = `0x${string}`

/** `0x` and two lower-case digits a byte. */
export function hex(bytes: Uint8Array): Hex {
  let text = '0x'
  for (const byte of bytes) text += digits[byte]
  return text as Hex
}

/**
 * The bytes that a hex text spells, with or without `0x`, in either case.
 * Throws a RangeError when it is not whole bytes of hex digits.
 */
export function unhex(text: string): Uint8Array {
  const body = text.startsWith('0x') ? text.slice(2) : text
  if (body.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(body)) throw new RangeError('not hex bytes')
  const bytes = new Uint8Array(body.length / 2)
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = Number.parseInt(body.slice(2 * i, 2 * i + 2), 16)
  }
  return bytes
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Compares public bytes; not constant in time, so never call it with a secret. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false
  return true
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The text that these UTF-8 bytes spell; throws a TypeError when they spell none. */
export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** A big-endian word of 32 bytes, as the EVM writes numbers. Throws a RangeError outside uint256. */
export function word(value: bigint): Uint8Array {
  if (value < 0n || value >= 1n << 256n) throw new RangeError('not a uint256')
  return unhex(value.toString(16).padStart(64, '0'))
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
