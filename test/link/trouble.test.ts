import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { call, chainAvailable, type DevChain, startChain } from '../../demo/chain.ts'
import { Fault, type FaultCode } from '../../runtime/faults.ts'
import { type Chain, type ChainOptions, openChain } from '../../runtime/link/chain.ts'
import { settlementCall } from '../../runtime/link/contract.ts'
import { firstPrice } from '../../runtime/link/gasprice.ts'
import type { EndpointNote } from '../../runtime/link/troubles.ts'
import { type ChannelConfig, channelId } from '../../runtime/wire/channel.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { signVoucher } from '../../runtime/wire/voucher.ts'
import { type Frontend, type Mood, openProxy, saying, standingStill } from './proxy.ts'

const skip = chainAvailable() ? false : 'there is no anvil for this machine'
const key = (n: number) => localSigner(new Uint8Array(32).fill(n))
const [buyer, receiver, gateway] = [key(1), key(2), key(3)] as const
const view = (method: string) => settlementCall(method, [new Uint8Array(32)]).slice(0, 10)

describe('endpoints of a chain that make trouble', { skip }, () => {
  let dev: DevChain
  let payer: Chain
  let salt = 0
  const open: { close(): unknown }[] = []

  before(async () => {
    dev = await startChain()
    await dev.mint(buyer.address, 1_000_000n)
    for (const { address } of [buyer, gateway]) await dev.fund(address, 10n ** 18n)
    payer = await connect({ rpcs: [dev.rpc], sender: buyer })
    open.length = 0
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  after(async () => {
    payer.close()
    await dev.stop()
  })

  async function connect(options: Partial<ChainOptions>) {
    const { chainId, settlement } = dev
    const limits = {
      ...{ pollMs: 10, requestMs: 1_000, retryMs: 5, hangMs: 700 },
      ...{ restFirstMs: 20, restMaxMs: 100, answerBytesMax: 1 << 20 },
      ...options.limits,
    }
    const chain = await openChain({ rpcs: [dev.rpc], chainId, settlement, ...options, limits })
    open.push(chain)
    return chain
  }
  async function proxy(mood?: Mood): Promise<Frontend> {
    const one = await openProxy(dev.rpc, mood)
    open.push(one)
    return one
  }
  /** A line over the chain itself and these, and what it tells of them. */
  async function among(proxies: readonly Frontend[], options: Partial<ChainOptions> = {}) {
    const notes: EndpointNote[] = []
    const rpcs = [dev.rpc, ...proxies.map(({ rpc }) => rpc)]
    const chain = await connect({ rpcs, note: (note) => notes.push(note), ...options })
    return { chain, notes }
  }
  async function channel(deposit = 1_000n): Promise<ChannelConfig> {
    salt += 1
    const config: ChannelConfig = {
      payer: buyer.address,
      payerAuthorizer: buyer.address,
      receiver: receiver.address,
      receiverAuthorizer: gateway.address,
      token: dev.token,
      withdrawDelay: 86_400,
      salt: new Uint8Array(32).fill(salt),
    }
    if (deposit > 0n) await payer.deposit({ ...dev }, config, deposit, buyer)
    return config
  }

  for (const mood of ['hangs', 'garbage', 'floods', 'busy', 'drops'] as const) {
    it(`one that ${mood} is named and left in peace, and the rest still tells bad news`, async () => {
      const config = await channel()
      const bad = await proxy()
      const { chain, notes } = await among([bad])
      assert.equal((await chain.state(config)).balance, 1_000n)
      bad.mood = mood
      await assert.rejects(chain.state(config), is('CHAIN_UNREACHABLE', bad.name))
      const { balance, doubt } = await chain.look(config)
      assert.deepEqual([balance, doubt?.code], [1_000n, 'CHAIN_UNREACHABLE'])
      const [failing] = notes
      assert.ok(failing?.event === 'endpoint failing', JSON.stringify(notes))
      assert.deepEqual([failing.rpc, failing.code], [bad.name, 'CHAIN_UNREACHABLE'])
      assert.ok(Math.abs(Date.now() - failing.sinceMs) < 60_000)
      bad.mood = 'honest'
      await until(async () => (await chain.look(config)).doubt === undefined)
      assert.deepEqual(told(notes), ['endpoint failing', 'endpoint well'])
    })
  }

  it('one that hangs is asked less and less, and nobody waits for it meanwhile', async () => {
    const bad = await proxy()
    const config = await channel()
    const { chain } = await among([bad], { limits: { restFirstMs: 60_000, restMaxMs: 60_000 } })
    bad.mood = 'hangs'
    await until(async () => {
      const before = bad.asked.length
      await chain.look(config)
      return bad.asked.length === before
    })
    const asked = bad.asked.length
    for (let i = 0; i < 20; i += 1) await chain.look(config)
    assert.equal(bad.asked.length, asked)
  })

  it('a fortune that one alone sees is not believed; of three the odd one is named', async () => {
    const config = await channel(0n)
    const [liar, honest] = [await proxy(), await proxy()]
    const { chain, notes } = await among([liar, honest])
    assert.equal((await chain.look(config)).doubt, undefined)
    liar.mood = saying(view('channels'), 5_000n, 0n)
    await assert.rejects(chain.state(config), is('CHAIN_DISAGREES', liar.name))
    const { balance, doubt } = await chain.look(config)
    assert.deepEqual([balance, doubt?.code], [0n, 'CHAIN_DISAGREES'])
    assert.deepEqual(
      notes.map(({ rpc }) => rpc),
      [liar.name],
    )
    liar.mood = 'honest'
    assert.equal((await chain.look(config)).doubt, undefined)
    assert.deepEqual(told(notes), ['endpoint failing', 'endpoint well'])
  })

  it('a withdrawal that the other hides is heeded, and so is one that only one shows', async () => {
    const config = await channel()
    const liar = await proxy()
    const { chain } = await among([liar])
    await chain.look(config)
    const selector = view('pendingWithdrawals')
    liar.mood = saying(selector, 400n, 1_000n)
    const invented = await chain.look(config)
    assert.deepEqual([invented.withdrawal?.amount, invented.withdrawal?.agreed], [400n, false])
    assert.equal(invented.doubt?.code, 'CHAIN_DISAGREES')
    await payer.initiateWithdraw(config, 700n)
    liar.mood = saying(selector, 0n, 0n)
    const hidden = await chain.look(config)
    assert.deepEqual([hidden.withdrawal?.amount, hidden.withdrawal?.agreed], [700n, false])
    liar.mood = 'honest'
    const agreed = await chain.look(config)
    assert.deepEqual([agreed.withdrawal?.amount, agreed.withdrawal?.agreed], [700n, true])
  })

  it('one that stands still is named with the seconds it is behind, hides no withdrawal, and fills nothing', async () => {
    const config = await channel()
    const late = await proxy(await standingStill(dev.rpc))
    const { chain, notes } = await among([late])
    await call(dev.rpc, 'evm_increaseTime', [600])
    await payer.deposit({ ...dev }, config, 500n, buyer)
    await payer.initiateWithdraw(config, 1_200n)
    const { balance, withdrawal, doubt } = await chain.look(config)
    assert.deepEqual([balance, withdrawal?.amount, withdrawal?.agreed], [1_000n, 1_200n, false])
    assert.equal(doubt, undefined)
    const [note] = notes
    assert.ok(note?.event === 'endpoint failing' && note.code === 'CHAIN_LAGS', told(notes).join())
    assert.match(note.why, new RegExp(`${late.name} stands 60\\d s behind ${dev.rpc}`))
    late.mood = 'honest'
    assert.equal((await chain.look(config)).balance, 1_500n)
    assert.deepEqual(told(notes), ['endpoint failing', 'endpoint well'])
  })

  it('one that serves another chain after a while is noticed', async () => {
    const config = await channel()
    const bad = await proxy()
    const { chain, notes } = await among([bad], { limits: { greetMs: 50 } })
    bad.mood = async ({ method }, real) => (method === 'eth_chainId' ? '0x1' : real())
    await until(async () => (await chain.look(config)).doubt?.code === 'CHAIN_OTHER')
    assert.equal(notes[0]?.event === 'endpoint failing' && notes[0].code, 'CHAIN_OTHER')
    bad.mood = 'honest'
    await until(async () => (await chain.look(config)).doubt === undefined)
  })

  it('a line is opened while one endpoint is down, and not while one shows other code', async () => {
    const config = await channel()
    const bad = await proxy('drops')
    const { chain, notes } = await among([bad])
    assert.equal((await chain.look(config)).doubt?.code, 'CHAIN_UNREACHABLE')
    assert.ok(notes.length > 0)
    bad.mood = async ({ method }, real) => (method === 'eth_getCode' ? '0x60806040' : real())
    await assert.rejects(among([bad]), is('CHAIN_DISAGREES', 'the contract'))
  })

  it('a receipt that only one has is not believed, and one endpoint is enough to send', async () => {
    const config = await channel()
    const [liar, dead] = [await proxy(), await proxy()]
    const options = { sender: gateway, authorizer: gateway }
    const { chain, notes } = await among([liar, dead], options)
    const box = chain.transactions()
    const id = channelId(config, dev)
    const voucher = await signVoucher({ channelId: id, maxClaimableAmount: 600n }, dev, buyer)
    const call = await chain.claimCall([{ config, voucher }], receiver.address, dev.token)
    const price = firstPrice(await chain.fees(), box.rules)
    assert.ok(price)
    const outgoing = await box.write(call, price, [])
    const hash = outgoing.versions[0]?.hash ?? '0x'
    const block = await blockNow(dev)
    liar.mood = async ({ method, params }, real) =>
      method === 'eth_getTransactionReceipt' && params[0] === hash
        ? { ...fakeReceipt(hash), blockNumber: block }
        : real()
    assert.equal((await box.fate(outgoing)).state, 'waiting')
    const lie = notes.find(({ code }) => code === 'CHAIN_DISAGREES')
    assert.equal(lie?.rpc, liar.name)
    dead.mood = 'drops'
    assert.equal(await box.post(outgoing), undefined)
    liar.mood = 'honest'
    assert.equal((await box.fate(outgoing)).state, 'mined', 'one of three does not answer')
    dead.mood = 'honest'
    await until(async () => (await box.fate(outgoing)).state === 'deep')
    assert.equal(await dev.balanceOf(receiver.address), 600n)
  })
})

function is(code: FaultCode, text: string) {
  return (error: unknown) => {
    assert.ok(error instanceof Fault, String(error))
    assert.equal(error.code, code, error.message)
    assert.ok(error.message.includes(text), error.message)
    return true
  }
}

function told(notes: readonly EndpointNote[]) {
  return notes.map(({ event }) => event)
}

async function blockNow(dev: DevChain): Promise<string> {
  return call(dev.rpc, 'eth_blockNumber', [])
}

function fakeReceipt(hash: string) {
  const words = { transactionHash: hash, blockHash: `0x${'11'.repeat(32)}` }
  return { ...words, status: '0x1', gasUsed: '0x5208', logs: [] }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it never came to be')
    await sleep(20)
  }
}
