import { open, stat } from 'node:fs/promises'
import { Fault, fault } from '../faults.ts'
import { hex, text, unhex } from '../wire/bytes.ts'
import { atomicWrite, readIfThere, removeFile, unwritten } from './write.ts'

/** Every secret kept in a file is this long: a private key, a generation's secret. */
export const secretSize = 32

/**
 * The 32 secret bytes in the file (hex digits, one line), or undefined when there is none. Throws
 * KEY_EXPOSED when others may read it and KEY_UNREADABLE when it holds anything else.
 */
export async function readSecret(path: string): Promise<Uint8Array | undefined> {
  const bytes = await keyBytes(path)
  if (bytes === undefined) return undefined
  await mustBePrivate(path)
  try {
    const secret = unhex(text(bytes).trim())
    if (secret.length !== secretSize) throw new RangeError('a key is 32 bytes in hex')
    return secret
  } catch (cause) {
    // The cause may quote the file; the sentence must not.
    throw cause instanceof Fault ? cause : fault('KEY_UNREADABLE', { path, why: notKey })
  }
}

/** The bytes of a key file, or undefined when there is none. Throws KEY_UNREADABLE, as when it is another user's. */
export async function keyBytes(path: string): Promise<Uint8Array | undefined> {
  return readIfThere(path).catch((cause: Error) => {
    throw fault('KEY_UNREADABLE', { path, why: cause.message }, cause)
  })
}

/** Throws KEY_EXPOSED when anybody but its owner may read, write or run the file. */
export async function mustBePrivate(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) {
    throw fault('KEY_EXPOSED', { path, mode: (mode & 0o777).toString(8) })
  }
}

/** As `readSecret`; the first time it makes the file, 0600, with 32 random bytes. */
export async function openSecret(
  path: string,
  random: (length: number) => Uint8Array,
): Promise<Uint8Array> {
  const found = await readSecret(path)
  if (found !== undefined) return found
  const secret = random(secretSize)
  await atomicWrite(path, `${hex(secret)}\n`, { mode: 0o600 })
  return secret
}

/**
 * Destroys the file: its bytes are overwritten first, where the disk does that in place, and the folder
 * knows when this returns. One that is not there is destroyed already. Throws FILE_UNWRITTEN; then it may
 * stand there overwritten, and is to be destroyed again.
 */
export async function eraseSecret(path: string): Promise<void> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return
  try {
    const file = await open(path, 'r+')
    try {
      await file.write(new Uint8Array(bytes.length).fill(erased), 0, bytes.length, 0)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw unwritten(path, cause)
  }
  await removeFile(path)
}

/** Whether there stands what a crash left of a secret in the middle of its destruction. */
export async function isErased(path: string): Promise<boolean> {
  const bytes = await readIfThere(path)
  return bytes !== undefined && bytes.length > 0 && bytes.every((byte) => byte === erased)
}

/** A dash: no disk that loses a file leaves it full of these. */
const erased = 0x2d
const notKey = 'it does not hold 32 bytes as hex digits'
