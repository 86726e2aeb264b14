import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chainAvailable, startChain } from '../../demo/chain.ts'
import { openChain } from '../../runtime/link/chain.ts'
import { localSigner } from '../../runtime/wire/signer.ts'

const script = fileURLToPath(new URL('../../contracts/deploy.ts', import.meta.url))

test('the contracts go onto a chain that lacks them, and work where they land', {
  skip: chainAvailable() ? false : 'there is no anvil for this machine',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-deploy-'))
  const dev = await startChain()
  try {
    const secret = new Uint8Array(32).fill(7)
    const payer = localSigner(secret)
    const key = join(folder, 'key')
    await writeFile(key, Buffer.from(secret).toString('hex'), { mode: 0o600 })
    await dev.fund(payer.address, 10n ** 18n)
    await dev.mint(payer.address, 100n)
    const args = [script, '--rpc', dev.rpc, '--key', key]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { chainId, settlement, collector } = JSON.parse(stdout)
    assert.equal(chainId, dev.chainId)
    assert.notEqual(settlement, dev.settlement)

    const config = {
      payer: payer.address,
      payerAuthorizer: payer.address,
      receiver: payer.address,
      receiverAuthorizer: payer.address,
      token: dev.token,
      withdrawDelay: 86_400,
      salt: new Uint8Array(32),
    }
    const options = { rpcs: [dev.rpc], chainId, settlement, sender: payer, limits: { pollMs: 20 } }
    const chain = await openChain(options)
    await chain.deposit({ ...dev, settlement, collector }, config, 100n, payer)
    assert.equal((await chain.state(config)).balance, 100n)
    chain.close()
  } finally {
    await dev.stop()
    await rm(folder, { recursive: true })
  }
})

test('an endpoint that is not there is named at once, without what may be secret in it', async () => {
  const args = [script, '--rpc', 'http://127.0.0.1:9/secret', '--key', '/dev/null']
  const ended = await promisify(execFile)(process.execPath, args).catch((error) => error)
  assert.equal(ended.code, 3)
  assert.equal(ended.stderr, 'no chain answers at http://127.0.0.1:9\n')
})
