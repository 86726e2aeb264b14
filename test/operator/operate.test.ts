import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Aedes } from 'aedes'
import { randomBytes } from '#crypto'
import { chainAvailable, type DevChain, startChain } from '../../demo/chain.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import { openChain } from '../../runtime/link/chain.ts'
import { newChannel } from '../../runtime/operator/channel.ts'
import { hex, unhex } from '../../runtime/wire/bytes.ts'
import { channelId } from '../../runtime/wire/channel.ts'
import { addressOf } from '../../runtime/wire/crypto/node.ts'
import { decodeGrants } from '../../runtime/wire/grant.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { encodeOrder, signOrder } from '../../runtime/wire/order.ts'
import { encodeRequest } from '../../runtime/wire/request.ts'
import { generateSessionKey, sealMessage, sealOrder } from '../../runtime/wire/session.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { books, buyer, device, gateway, operator, secretOf } from './fixture.ts'

const receiver = addressOf(secretOf(7))

test('the desk grants a deposit, claims inside a withdraw delay, and settles at SIGTERM', {
  skip: chainAvailable() ? false : 'no embedded chain on this machine',
  timeout: 60_000,
}, async (t) => {
  const chain = await startChain()
  t.after(() => chain.stop())
  await chain.mint(buyer.address, 10_000_000n)
  for (const who of [buyer.address, gateway.address]) await chain.fund(who, 10n ** 18n)
  const url = await startBroker(t)
  const { events, child, until } = await operate(t, chain, url)
  await until((event) => event.event === 'ready')

  const line = openBroker({ url, clientId: 'test-buyer' })
  t.after(() => line.close())
  const market = await openMarket(chain, line)
  t.after(async () => market.onChain.close())
  const first = await market.buy(1, 4_000_000n, 1_500_000n)
  await until((event) => event.event === 'granted' && event.cap === '4000000')
  await market.show(first)
  await until((event) => event.event === 'acked' && event.total === '1500000')
  await market.onChain.initiateWithdraw(first.config, 4_000_000n)
  await until((event) => event.event === 'settled' && event.amount === '1500000')
  assert.equal(await chain.balanceOf(receiver), 1_500_000n, 'claimed inside the withdraw delay')
  assert.ok(events.some(({ event, why }) => event === 'ended' && why === 'withdrawal'))

  const second = await market.buy(2, 3_000_000n, 800_000n)
  await until((event) => event.event === 'granted' && event.cap === '3000000')
  await market.show(second)
  await until((event) => event.event === 'acked' && event.total === '800000')
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  assert.equal(code, 0)
  assert.equal(await chain.balanceOf(receiver), 2_300_000n, 'settled at the orderly end')
})

/** A buyer that deposits on the real chain and speaks the wire over a real line. */
async function openMarket(dev: DevChain, line: ReturnType<typeof openBroker>) {
  const { rpc, chainId, settlement, collector, token, tokenName, tokenVersion } = dev
  const rail = { chainId, settlement }
  const onChain = await openChain({ rpcs: [rpc], chainId, settlement, sender: buyer })
  const at = topics(operator.address)
  const heard = new Map<string, Uint8Array>()
  await line.subscribe('wayside/1/#', (topic, payload) => heard.set(topic, payload))
  while (!heard.has(at.offer)) await sleep(10)
  const { offer } = readOffer(heard.get(at.offer) ?? new Uint8Array())

  async function buy(salt: number, deposit: bigint, pay: bigint) {
    const config = {
      payer: buyer.address,
      payerAuthorizer: buyer.address,
      receiver: offer.receiver,
      receiverAuthorizer: offer.gateway,
      token,
      withdrawDelay: offer.withdrawDelayMinS,
      salt: secretOf(salt),
    }
    const where = { ...rail, collector, token, tokenName, tokenVersion }
    await onChain.deposit(where, config, deposit, buyer)
    const session = await generateSessionKey()
    const order = await signOrder(
      {
        channelId: channelId(config, rail),
        number: 1n,
        seller: device(0),
        terms: [new Uint8Array(32)],
        ceilingAmount: 1n,
        ceilingPerMs: 1n,
        sessionKey: session.publicKey,
        untilMs: Date.now() + 86_400_000,
      },
      buyer,
    )
    const sealed = encodeOrder({ order, config, rail })
    const recipient = unhex(offer.hpke)
    const { message, keys } = await sealOrder({ order: sealed, session, recipient })
    await line.publish(at.ask, message)
    return { config, keys, pay }
  }

  async function show({ config, keys, pay }: Awaited<ReturnType<typeof buy>>) {
    const id = channelId(config, rail)
    const granted = () => {
      const payload = heard.get(topics(device(0)).grant)
      const grants = payload === undefined ? [] : decodeGrants(payload)
      return grants.some((grant) => hex(grant.channelId) === hex(id))
    }
    while (!granted()) await sleep(10)
    const leaf = { index: 0, device: device(0), amount: pay }
    const shown = await books(newChannel(id, config, rail), 1n, [leaf])
    const plain = encodeRequest({ kind: 'books', ...shown })
    await line.publish(at.ask, sealMessage('request', keys, 1n, plain, randomBytes))
  }

  return { onChain, buy, show }
}

type Event = Readonly<Record<string, string>>

/** The real command in a process of its own. */
async function operate(t: After, chain: DevChain, url: string) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-operate-'))
  const keyFile = async (name: string, seed: number) => {
    await writeFile(join(folder, name), hex(secretOf(seed)), { mode: 0o600 })
    return JSON.stringify(join(folder, name))
  }
  const config = join(folder, 'operate.yaml')
  await writeFile(
    config,
    `folder: ${JSON.stringify(join(folder, 'data'))}
broker: { url: "${url}" }
keys: { operator: ${await keyFile('o.key', 2)}, gateway: ${await keyFile('g.key', 3)} }
receiver: "${receiver}"
chain: { rpcs: ["${chain.rpc}"], id: ${chain.chainId}, settlement: "${chain.settlement}",
  collector: "${chain.collector}", confirmations: 1 }
tokens: [{ address: "${chain.token}", name: ${chain.tokenName}, version: "${chain.tokenVersion}" }]
devices: ["${device(0)}"]
look: 100ms
`,
  )
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', entry, '--', '-c', config, '--json'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  t.after(async () => {
    await ended(child)
    await rm(folder, { recursive: true })
  })
  const events: Event[] = []
  createInterface(child.stdout).on('line', (text) => events.push(JSON.parse(text)))
  const until = async (holds: (event: Event) => boolean) => {
    for (let i = 0; i < 3_000 && child.exitCode === null; i += 1) {
      if (events.some(holds)) return
      await sleep(10)
    }
    assert.fail(
      `it never came: ${holds}\n${events.map((event) => JSON.stringify(event)).join('\n')}`,
    )
  }
  return { child, events, until }
}

const entry = `
  import { Command } from 'commander'
  import { operateCommand } from '${new URL('../../runtime/commands/operate.ts', import.meta.url)}'
  const program = new Command('wayside')
  operateCommand(program)
  await program.parseAsync(['operate', ...process.argv.slice(1)], { from: 'user' })
`

type After = { after(fn: () => Promise<unknown>): void }

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function startBroker(t: After): Promise<string> {
  const aedes = await Aedes.createBroker()
  const server = createServer(aedes.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.close()
    await new Promise<void>((done) => aedes.close(done))
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `mqtt://127.0.0.1:${address.port}`
}
