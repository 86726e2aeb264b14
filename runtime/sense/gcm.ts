/** AES-128-GCM for drivers of meters that encrypt, by the machine's own OpenSSL (NIST SP 800-38D). */
import { createDecipheriv, createSecretKey } from 'node:crypto'

/** Shorter tags are guessed too soon (SP 800-38D appendix C); DLMS sends so many bytes. */
const tagBytesLeast = 12

/** The plain text, or undefined when the tag is not right: another key, or a changed byte. */
export function openGcm(sealed: {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  /** What is authenticated and not encrypted. */
  readonly beside: Uint8Array
  readonly cipher: Uint8Array
  /** 12 to 16 bytes. */
  readonly tag: Uint8Array
}): Uint8Array | undefined {
  const { key, nonce, beside, cipher, tag } = sealed
  if (tag.length < tagBytesLeast || tag.length > 16) return undefined
  const opening = createDecipheriv('aes-128-gcm', createSecretKey(key), nonce, {
    authTagLength: tag.length,
  })
  opening.setAAD(beside).setAuthTag(tag)
  const plain = Uint8Array.from(opening.update(cipher))
  try {
    opening.final()
    return plain
  } catch {
    return undefined
  }
}

/** What comes out without a tag, or against it: nothing here tells whether key and bytes are right. */
export function openUntagged(sealed: {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly cipher: Uint8Array
}): Uint8Array {
  const { key, nonce, cipher } = sealed
  // The first block of the counter is the tag's (SP 800-38D §7.1).
  const first = Uint8Array.of(...nonce, 0, 0, 0, 2)
  const opening = createDecipheriv('aes-128-ctr', createSecretKey(key), first)
  return Uint8Array.from(opening.update(cipher))
}
