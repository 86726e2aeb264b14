import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encryptKeystoreJson, Wallet } from 'ethers'
import { readKeyFile, readPassword } from '../../runtime/disk/keyfile.ts'
import { Fault } from '../../runtime/faults.ts'
import { hex } from '../../runtime/wire/bytes.ts'

const secret = `0x${'0a'.repeat(32)}`
const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code

// The test vectors of the Web3 Secret Storage definition, both key derivations of one key.
const published = {
  pbkdf2: {
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
  },
}

test('a plain key of ours is read, unless others can read it too', async (t) => {
  const path = join(await folder(t), 'a.key')
  await writeFile(path, `${secret}\n`, { mode: 0o600 })
  assert.equal(hex(await readKeyFile(path)), secret)
  await chmod(path, 0o640)
  await assert.rejects(readKeyFile(path), isFault('KEY_EXPOSED'))
})

test("a wallet's keystore opens with its password and no other", async (t) => {
  const path = join(await folder(t), 'wallet.json')
  const options = { scrypt: { N: 1 << 12, r: 8, p: 1 } }
  const account = { address: new Wallet(secret).address, privateKey: secret }
  await writeFile(path, await encryptKeystoreJson(account, 'pässword', options))
  assert.equal(hex(await readKeyFile(path, 'pässword')), secret)
  await assert.rejects(readKeyFile(path, 'password'), isFault('KEY_LOCKED'))
  await assert.rejects(readKeyFile(path), isFault('KEY_LOCKED'))
})

test('a password is what its file says before the line break, unless others can read it too', async (t) => {
  const path = join(await folder(t), 'password')
  await assert.rejects(readPassword(path), isFault('INPUT_UNREADABLE'))
  await writeFile(path, 'päss word \r\n', { mode: 0o600 })
  assert.equal(await readPassword(path), 'päss word ')
  await chmod(path, 0o644)
  await assert.rejects(readPassword(path), isFault('KEY_EXPOSED'))
})

test('the published keystore vector opens', async (t) => {
  const path = join(await folder(t), 'vector.json')
  await writeFile(path, JSON.stringify(published.pbkdf2))
  const expected = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
  assert.equal(hex(await readKeyFile(path, 'testpassword')), expected)
})

test('what is no key says so', async (t) => {
  const path = join(await folder(t), 'x')
  await assert.rejects(readKeyFile(path), isFault('KEY_MISSING'))
  for (const content of ['', 'hello', '{', '{"version":3}', '{"version":1,"crypto":{}}']) {
    await writeFile(path, content, { mode: 0o600 })
    await assert.rejects(readKeyFile(path, 'p'), isFault('KEY_UNREADABLE'), content)
  }
})

test('a keystore whose key derivation cannot be run is none, and costs nothing', async (t) => {
  const path = join(await folder(t), 'odd.json')
  const { dklen, salt } = published.pbkdf2.crypto.kdfparams
  for (const [n, r] of [
    [3, 8],
    [2 ** 17, 1],
    [2 ** 20, 16],
    [2 ** 50, 8],
  ]) {
    const crypto = { ...published.pbkdf2.crypto, kdf: 'scrypt', kdfparams: { dklen, salt, n, r } }
    await writeFile(path, JSON.stringify({ ...published.pbkdf2, crypto }), { mode: 0o600 })
    await assert.rejects(readKeyFile(path, 'p'), isFault('KEY_UNREADABLE'), `${n} ${r}`)
  }
})

async function folder(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'wayside-key-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}
