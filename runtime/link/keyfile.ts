/**
 * The key file of a buyer or an operator: the 32 bytes in hex, readable by nobody else, or a keystore of
 * version 3 as wallets write them (scrypt or PBKDF2, AES-128-CTR, keccak). Behind a Signer either way.
 */
import { createDecipheriv, pbkdf2, type ScryptOptions, scrypt } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { keccak256 } from '#crypto'
import { fault } from '../faults.ts'
import { concat, equal, unhex } from '../wire/bytes.ts'
import { localSigner, type Signer } from '../wire/signer.ts'

/** What scrypt may take: a wallet's usual cost (N = 2^18, r = 8) needs 256 MiB; a hostile file gets no more. */
const scryptBytesMax = 512 * 1024 * 1024
const pbkdf2RoundsMax = 10_000_000
const fileBytesMax = 64 * 1024

/**
 * Opens a key file. `password` is asked for only when the file is a keystore.
 * Throws KEY_EXPOSED for a raw key that others can read, KEY_FILE for what is no key or a wrong password.
 */
export async function openKeyFile(
  path: string,
  password: () => Promise<string> | string = () => '',
): Promise<Signer> {
  const { text, mode } = await read(path)
  if (text.startsWith('{')) return signer(path, await unlock(path, text, password))
  if ((mode & 0o077) !== 0) throw fault('KEY_EXPOSED', { path, mode: (mode & 0o777).toString(8) })
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) throw wrong(path, 'not 32 bytes in hex')
  return signer(path, unhex(text))
}

async function read(path: string): Promise<{ text: string; mode: number }> {
  try {
    const { mode, size } = await stat(path)
    if (size > fileBytesMax) throw new Error(`more than ${fileBytesMax} bytes`)
    return { text: (await readFile(path, 'utf8')).trim(), mode }
  } catch (cause) {
    throw wrong(path, (cause as Error).message)
  }
}

type Keystore = {
  readonly version: number
  readonly crypto: {
    readonly cipher: string
    readonly cipherparams: { readonly iv: string }
    readonly ciphertext: string
    readonly kdf: string
    readonly kdfparams: Readonly<Record<string, number | string>>
    readonly mac: string
  }
}

async function unlock(
  path: string,
  text: string,
  password: () => Promise<string> | string,
): Promise<Uint8Array> {
  const { cipher, cipherparams, ciphertext, kdf, kdfparams, mac } = parse(path, text)
  if (cipher !== 'aes-128-ctr') throw wrong(path, `cipher ${cipher} is not aes-128-ctr`)
  const encrypted = unhex(ciphertext)
  const secret = (await password()).normalize('NFKC')
  const derived = await derive(path, kdf, kdfparams, secret)
  if (!equal(keccak256(concat(derived.subarray(16, 32), encrypted)), unhex(mac))) {
    throw wrong(path, 'the password does not open it')
  }
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), unhex(cipherparams.iv))
  return new Uint8Array(decipher.update(encrypted))
}

function parse(path: string, text: string): Keystore['crypto'] {
  try {
    // Old wallets spell it Crypto.
    const file = JSON.parse(text) as Keystore & { readonly Crypto?: Keystore['crypto'] }
    const crypto = file.crypto ?? file.Crypto
    unhex(crypto.ciphertext)
    unhex(crypto.mac)
    unhex(crypto.cipherparams.iv)
    if (file.version !== 3) throw new Error(`version ${file.version} is not 3`)
    return crypto
  } catch (cause) {
    throw wrong(path, `no keystore: ${(cause as Error).message}`)
  }
}

async function derive(
  path: string,
  kdf: string,
  params: Keystore['crypto']['kdfparams'],
  password: string,
): Promise<Uint8Array> {
  const salt = unhex(String(params.salt))
  if (Number(params.dklen) !== 32) throw wrong(path, 'its key is not 32 bytes long')
  if (kdf === 'scrypt') {
    const [N, r, p] = [Number(params.n), Number(params.r), Number(params.p)]
    if (!(128 * N * r * Math.max(p, 1) <= scryptBytesMax)) throw wrong(path, 'scrypt is too costly')
    // OpenSSL counts a little more than the 128·N·r of the definition.
    const options = { N, r, p, maxmem: 2 * scryptBytesMax }
    return new Uint8Array(await stretch(password, salt, 32, options))
  }
  const rounds = Number(params.c)
  if (kdf === 'pbkdf2' && params.prf === 'hmac-sha256' && rounds <= pbkdf2RoundsMax) {
    return new Uint8Array(await promisify(pbkdf2)(password, salt, rounds, 32, 'sha256'))
  }
  throw wrong(path, `key derivation ${kdf} is not known here`)
}

const stretch: (
  password: string,
  salt: Uint8Array,
  length: number,
  options: ScryptOptions,
) => Promise<Buffer> = promisify(scrypt)

function signer(path: string, secret: Uint8Array): Signer {
  try {
    return localSigner(secret)
  } catch {
    throw wrong(path, 'no key of secp256k1')
  }
}

function wrong(path: string, why: string) {
  return fault('KEY_FILE', { path, why })
}
