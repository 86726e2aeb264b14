/**
 * The key files of buyers and operators: 32 bytes of hex, as this product writes them, or a
 * keystore in version 3, as wallets and `geth account new` do. A device's own keys are in
 * disk/secret.ts.
 */
import { createDecipheriv, pbkdf2, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import { keccak256 } from '#crypto'
import { fault } from '../faults.ts'
import { concat, equal, text, unhex, utf8 } from '../wire/bytes.ts'
import { keyBytes, mustBePrivate, readSecret } from './secret.ts'
import { readIfThere } from './write.ts'

/**
 * The 32-byte secret in the file. A keystore needs its password. Throws KEY_MISSING, KEY_EXPOSED
 * when a plain key can be read by others, KEY_UNREADABLE, KEY_LOCKED for a missing or wrong
 * password.
 */
export async function readKeyFile(path: string, password?: string): Promise<Uint8Array> {
  const bytes = await keyBytes(path)
  if (bytes === undefined) throw fault('KEY_MISSING', { path })
  const keystore = asKeystore(bytes)
  if (keystore === 'none') {
    const secret = await readSecret(path)
    if (secret === undefined) throw fault('KEY_MISSING', { path })
    return secret
  }
  if (keystore === 'other') {
    throw fault('KEY_UNREADABLE', { path, why: 'it is JSON, but no keystore of version 3' })
  }
  if (password === undefined) throw fault('KEY_LOCKED', { path, why: 'it needs a password' })
  const secret = await unlock(keystore, password)
  if (secret === undefined) throw fault('KEY_LOCKED', { path, why: 'the password is another' })
  return secret
}

/** The password in the file, without its last line break. Throws INPUT_UNREADABLE, KEY_EXPOSED. */
export async function readPassword(path: string): Promise<string> {
  const bytes = await readIfThere(path).catch((cause: Error) => {
    throw fault('INPUT_UNREADABLE', { path, why: cause.message }, cause)
  })
  if (bytes === undefined) throw fault('INPUT_UNREADABLE', { path, why: 'no such file' })
  await mustBePrivate(path)
  return text(bytes).replace(/\r?\n$/, '')
}

const bytesOf = (length?: number) =>
  z
    .string()
    .regex(/^(0x)?([0-9a-fA-F]{2})*$/)
    .transform((digits) => unhex(digits))
    .refine((bytes) => length === undefined || bytes.length === length)

/** Web3 Secret Storage, version 3: what to derive, decrypt and compare. */
const keystoreSchema = z.object({
  version: z.literal(3),
  crypto: z.object({
    cipher: z.literal('aes-128-ctr'),
    cipherparams: z.object({ iv: bytesOf(16) }),
    ciphertext: bytesOf(32),
    mac: bytesOf(32),
    kdfparams: z
      .object({
        dklen: z.number().int().min(32).max(64),
        salt: bytesOf(),
        n: z.number().int().min(2).optional(),
        r: z.number().int().min(1).max(16).optional(),
        p: z.number().int().min(1).max(16).optional(),
        c: z.number().int().min(1).max(10_000_000).optional(),
        prf: z.literal('hmac-sha256').optional(),
      })
      .refine(({ n = 2, r = 8 }) => isScrypt(n, r)),
    kdf: z.enum(['scrypt', 'pbkdf2']),
  }),
})

/**
 * What scrypt takes (RFC 7914 §2: n a power of two below 2^(16·r)), within twice what
 * wallets ask for: it needs 128·n·r bytes, and a hostile file must not eat the machine.
 */
function isScrypt(n: number, r: number): boolean {
  const levels = Math.log2(n)
  return Number.isInteger(levels) && levels < 16 * r && 128 * n * r <= scryptBytesMax
}

const scryptBytesMax = 512 << 20

type Keystore = z.infer<typeof keystoreSchema>['crypto']

/** Some wallets write `Crypto`; everything else is spelled one way. */
function asKeystore(bytes: Uint8Array): Keystore | 'none' | 'other' {
  if (bytes[0] !== 0x7b) return 'none'
  try {
    const { Crypto, ...rest } = JSON.parse(text(bytes)) as Record<string, unknown>
    const read = keystoreSchema.safeParse({ crypto: Crypto, ...rest })
    return read.success ? read.data.crypto : 'other'
  } catch {
    return 'other'
  }
}

async function unlock(keystore: Keystore, password: string): Promise<Uint8Array | undefined> {
  const { kdf, kdfparams, ciphertext, mac, cipherparams } = keystore
  const { dklen, salt, n = 2, r = 8, p = 1, c = 1 } = kdfparams
  const secretWord = utf8(password.normalize('NFKC'))
  const key =
    kdf === 'scrypt'
      ? await derive(secretWord, salt, dklen, { N: n, r, p, maxmem: 256 * n * r + (1 << 20) })
      : await promisify(pbkdf2)(secretWord, salt, c, dklen, 'sha256')
  if (!equal(keccak256(concat(key.subarray(16, 32), ciphertext)), mac)) return undefined
  const cipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), cipherparams.iv)
  return new Uint8Array(concat(cipher.update(ciphertext), cipher.final()))
}

type ScryptCost = {
  readonly N: number
  readonly r: number
  readonly p: number
  readonly maxmem: number
}

function derive(word: Uint8Array, salt: Uint8Array, size: number, cost: ScryptCost) {
  return new Promise<Buffer>((done, fail) => {
    scrypt(word, salt, size, cost, (error, key) => (error === null ? done(key) : fail(error)))
  })
}
