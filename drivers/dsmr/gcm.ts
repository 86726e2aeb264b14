/**
 * AES-128-GCM, to open only (FIPS 197, NIST SP 800-38D), because a driver is bytes in and values out and
 * takes nothing from the machine. Held against the machine's own by test/drivers/dsmr. How long it takes
 * depends on its secret: who could measure that here can read the key from the config.
 */

/** The plain text, or undefined when the tag is not right: another key, or a changed byte. */
export function openGcm(sealed: {
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  /** What is authenticated and not encrypted. */
  readonly beside: Uint8Array
  readonly cipher: Uint8Array
  /** Its first bytes; 12 in DLMS. */
  readonly tag: Uint8Array
}): Uint8Array | undefined {
  const { key, nonce, beside, cipher, tag } = sealed
  const round = expand(key)
  const mask = encrypt(round, counter(nonce, 1))
  const hash = ghash(encrypt(round, new Uint8Array(16)), beside, cipher)
  if (tag.length < 12 || !tag.every((byte, i) => byte === ((hash[i] ?? 0) ^ (mask[i] ?? 0))))
    return undefined
  const plain = new Uint8Array(cipher.length)
  for (let at = 0; at < cipher.length; at += 16) {
    const stream = encrypt(round, counter(nonce, 2 + at / 16))
    for (let i = 0; i < 16 && at + i < cipher.length; i += 1) {
      plain[at + i] = (cipher[at + i] ?? 0) ^ (stream[i] ?? 0)
    }
  }
  return plain
}

function counter(nonce: Uint8Array, count: number): Uint8Array {
  const block = new Uint8Array(16)
  block.set(nonce)
  new DataView(block.buffer).setUint32(12, count)
  return block
}

/** Twice a byte in the field of AES, modulo x⁸ + x⁴ + x³ + x + 1. */
const twice = (byte: number) => ((byte << 1) ^ (byte & 0x80 ? 0x11b : 0)) & 0xff

/** The S-box (FIPS 197 §5.1.1): the inverse in the field, then an affine map. Powers of 3 visit every byte. */
const substitute = (() => {
  const box = new Uint8Array(256)
  let [power, inverse] = [1, 1]
  do {
    power ^= twice(power)
    inverse ^= inverse << 1
    inverse ^= inverse << 2
    inverse ^= inverse << 4
    inverse = (inverse ^ (inverse & 0x80 ? 0x09 : 0)) & 0xff
    const turned = inverse | (inverse << 8)
    box[power] =
      (inverse ^ (turned >> 7) ^ (turned >> 6) ^ (turned >> 5) ^ (turned >> 4) ^ 0x63) & 0xff
  } while (power !== 1)
  box[0] = 0x63
  return (byte: number) => box[byte] ?? 0
})()

/** The eleven round keys (§5.2), one after another. */
function expand(key: Uint8Array): Uint8Array {
  const keys = new Uint8Array(176)
  keys.set(key)
  let constant = 1
  for (let at = 16; at < 176; at += 4) {
    let last = [...keys.subarray(at - 4, at)]
    if (at % 16 === 0) {
      const [first = 0, ...rest] = last.map(substitute)
      last = [...rest, first]
      last[0] = (last[0] ?? 0) ^ constant
      constant = twice(constant)
    }
    for (let i = 0; i < 4; i += 1) keys[at + i] = (keys[at + i - 16] ?? 0) ^ (last[i] ?? 0)
  }
  return keys
}

/** One block through the cipher (§5.1): columns of four bytes, one after another. */
function encrypt(keys: Uint8Array, block: Uint8Array): Uint8Array {
  let state = block.map((byte, i) => byte ^ (keys[i] ?? 0))
  for (let round = 1; round <= 10; round += 1) {
    // SubBytes and ShiftRows in one: row r comes from r columns to the right.
    const moved = state.map((_, i) => substitute(state[(i + 4 * (i % 4)) % 16] ?? 0))
    const mixed = round === 10 ? moved : moved.map((_, i) => mixColumn(moved, i))
    state = mixed.map((byte, i) => byte ^ (keys[16 * round + i] ?? 0))
  }
  return state
}

function mixColumn(state: Uint8Array, i: number): number {
  const column = i - (i % 4)
  const at = (row: number) => state[column + ((i + row) % 4)] ?? 0
  return twice(at(0)) ^ twice(at(1)) ^ at(1) ^ at(2) ^ at(3)
}

/** GHASH (SP 800-38D §6.4) over both texts, each padded to whole blocks, and their lengths in bits. */
function ghash(subkey: Uint8Array, beside: Uint8Array, cipher: Uint8Array): Uint8Array {
  const padded = (bytes: Uint8Array) => 16 * Math.ceil(bytes.length / 16)
  const all = new Uint8Array(padded(beside) + padded(cipher) + 16)
  all.set(beside)
  all.set(cipher, padded(beside))
  const lengths = new DataView(all.buffer, all.length - 16)
  lengths.setUint32(4, 8 * beside.length)
  lengths.setUint32(12, 8 * cipher.length)
  let sum: Uint8Array = new Uint8Array(16)
  for (let at = 0; at < all.length; at += 16) {
    sum = times(
      sum.map((byte, i) => byte ^ (all[at + i] ?? 0)),
      subkey,
    )
  }
  return sum
}

/** The product in GF(2¹²⁸) (§6.3), the first bit being the lowest power. */
function times(x: Uint8Array, y: Uint8Array): Uint8Array {
  const product = new Uint8Array(16)
  const shifted = y.slice()
  for (let bit = 0; bit < 128; bit += 1) {
    if ((x[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) {
      for (let i = 0; i < 16; i += 1) product[i] = (product[i] ?? 0) ^ (shifted[i] ?? 0)
    }
    let carry = 0
    for (let i = 0; i < 16; i += 1) {
      const byte = shifted[i] ?? 0
      shifted[i] = (byte >> 1) | carry
      carry = (byte & 1) << 7
    }
    if (carry !== 0) shifted[0] = (shifted[0] ?? 0) ^ 0xe1
  }
  return product
}
