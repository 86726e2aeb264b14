import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { encryptKeystoreJson, Wallet } from 'ethers'
import { Fault, type FaultCode } from '../../runtime/faults.ts'
import { openKeyFile } from '../../runtime/link/keyfile.ts'

const secret = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const address = new Wallet(secret).address.toLowerCase()

/** The PBKDF2 test vector of the Web3 Secret Storage definition; its password is "testpassword". */
const vector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

describe('a key file', () => {
  let folder: string
  const file = async (name: string, text: string, mode = 0o600) => {
    const path = join(folder, name)
    await writeFile(path, text)
    await chmod(path, mode)
    return path
  }
  const refused = (code: FaultCode, opening: Promise<unknown>) =>
    assert.rejects(opening, (error) => {
      assert.ok(error instanceof Fault && error.code === code, String(error))
      assert.doesNotMatch(error.message + error.cure, new RegExp(secret, 'i'))
      return true
    })

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wayside-keys-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('is 32 bytes in hex that nobody else can read', async () => {
    assert.equal((await openKeyFile(await file('raw', `0x${secret}\n`))).address, address)
    await refused('KEY_EXPOSED', openKeyFile(await file('open', secret, 0o644)))
    await refused('KEY_FILE', openKeyFile(await file('short', secret.slice(2))))
    await refused('KEY_FILE', openKeyFile(await file('zero', '0'.repeat(64))))
    await refused('KEY_FILE', openKeyFile(join(folder, 'none')))
  })

  it('is a keystore as wallets write them, with its password', async () => {
    const account = { address, privateKey: `0x${secret}` }
    const cheap = { scrypt: { N: 1024, r: 8, p: 1 } }
    const text = await encryptKeystoreJson(account, 'correct horse', cheap)
    const path = await file('scrypt.json', text, 0o644)
    assert.equal((await openKeyFile(path, () => 'correct horse')).address, address)
    await refused(
      'KEY_FILE',
      openKeyFile(path, () => 'wrong horse'),
    )
  })

  it('opens the test vector of the definition', async () => {
    const path = await file('vector.json', JSON.stringify(vector))
    assert.equal((await openKeyFile(path, () => 'testpassword')).address, address)
  })

  it('refuses a keystore that would cost a fortune or is none', async () => {
    const dear = structuredClone(vector) as unknown as { crypto: Record<string, unknown> }
    dear.crypto.kdf = 'scrypt'
    dear.crypto.kdfparams = { n: 2 ** 30, r: 8, p: 1, dklen: 32, salt: '00' }
    await refused(
      'KEY_FILE',
      openKeyFile(await file('dear', JSON.stringify(dear)), () => ''),
    )
    await refused('KEY_FILE', openKeyFile(await file('empty', '{}')))
    await refused('KEY_FILE', openKeyFile(await file('text', '{ not json')))
  })
})
