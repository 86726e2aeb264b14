import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { call, chainAvailable, startChain } from '../../demo/chain.ts'

const account = '0x00000000000000000000000000000000000000aa'
const skip = chainAvailable() ? false : 'there is no anvil for this machine'

describe('the development chain', { skip }, () => {
  it('mints, funds, tells balances, and is gone once stopped', async () => {
    const chain = await startChain()
    await chain.mint(account, 5n)
    await chain.mint(account, 6n)
    await chain.fund(account, 7n)
    assert.equal(await chain.balanceOf(account), 11n)
    assert.equal(BigInt(await call(chain.rpc, 'eth_getBalance', [account, 'latest'])), 7n)
    await chain.stop()
    await chain.stop()
    await assert.rejects(call(chain.rpc, 'eth_chainId', []))
  })

  it('makes blocks at its own pace when asked', async () => {
    const stopper = new AbortController()
    const chain = await startChain({ blockTimeS: 1, signal: stopper.signal })
    await chain.mint(account, 5n)
    assert.equal(await chain.balanceOf(account), 5n)
    stopper.abort()
    await gone(chain.rpc)
  })

  it('ends with whoever started it, even one that is killed', async () => {
    const program = `import { startChain } from ${JSON.stringify(new URL('../../demo/chain.ts', import.meta.url).href)}
      console.log((await startChain()).rpc)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data')
    const rpc = String(line).trim()
    assert.equal(Number(await call(rpc, 'eth_chainId', [])), 31337)
    child.kill('SIGKILL')
    await gone(rpc)
  })
})

async function gone(rpc: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await call(rpc, 'eth_chainId', []).catch(() => undefined)
    if (answer === undefined) return
    await sleep(50)
  }
  assert.fail(`${rpc} still answers`)
}
