import { type Hex, hex, unhex } from './bytes.ts'

/** An Ethereum address, always lower case: `0x` and 40 digits. A device's id is one, for ever. */
export type Address = Hex

export const zeroAddress: Address = `0x${'0'.repeat(40)}`

/** The address in any spelling (checksummed or not), lower-cased; undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? (text.toLowerCase() as Address) : undefined
}

export function addressBytes(address: Address): Uint8Array {
  return unhex(address)
}

/** The address in 20 bytes; throws a RangeError for any other size. */
export function addressFrom(bytes: Uint8Array): Address {
  if (bytes.length !== 20) throw new RangeError('an address is 20 bytes')
  return hex(bytes)
}
