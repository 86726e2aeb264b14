/** The real `wayside operate` in a process, and a buyer without devices that pays on a real chain. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Aedes } from 'aedes'
import { randomBytes } from '#crypto'
import { type DevChain, startChain } from '../../demo/chain.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import { type Chain, openChain } from '../../runtime/link/chain.ts'
import { newChannel } from '../../runtime/operator/channel.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { type Answer, decodeAnswer } from '../../runtime/wire/answer.ts'
import { hex, unhex } from '../../runtime/wire/bytes.ts'
import { type ChannelConfig, channelId } from '../../runtime/wire/channel.ts'
import { addressOf } from '../../runtime/wire/crypto/node.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { encodeOrder, signOrder } from '../../runtime/wire/order.ts'
import { encodeRequest } from '../../runtime/wire/request.ts'
import {
  generateSessionKey,
  openMessage,
  sealMessage,
  sealOrder,
  sessionName,
} from '../../runtime/wire/session.ts'
import { topics } from '../../runtime/wire/topic.ts'
import type { BadDisk } from '../disk/baddisk.ts'
import { books, buyer, device, gateway, operator, secretOf } from './fixture.ts'

export const receiver = addressOf(secretOf(7))

export type Event = Readonly<Record<string, unknown>>
type After = { after(fn: () => Promise<unknown>): void }

export type OfficeOptions = {
  /** What its books stand on. */
  readonly disk?: BadDisk
  readonly rpcs?: readonly string[]
  readonly confirmations?: number
  /** More of `chain` in operate.yaml. */
  readonly gas?: Readonly<Record<string, unknown>>
}

export type Life = {
  readonly events: Event[]
  until(holds: (event: Event) => boolean): Promise<Event>
  /** Ends it with SIGTERM, or sees it end by itself; says how. */
  stop(): Promise<number | null>
  kill(): void
  readonly ended: Promise<number | null>
}

/** A chain, a broker, a buyer with ten tokens, and an office that can be started again and again. */
export async function openOffice(t: After, options: OfficeOptions = {}) {
  const chain = await startChain()
  t.after(() => chain.stop())
  await chain.mint(buyer.address, 10_000_000n)
  for (const who of [buyer.address, gateway.address]) await chain.fund(who, 10n ** 18n)
  const url = await startBroker(t)
  const folder = await mkdtemp(join(tmpdir(), 'wayside-operate-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeConfig(folder, chain, url, options)
  const env = options.disk?.env ?? {}
  const start = (failpoint = ''): Life =>
    startLife(t, join(folder, 'operate.yaml'), { ...env, WAYSIDE_FAILPOINT: failpoint })
  return { chain, url, folder, start, market: () => openMarket(t, chain, url) }
}

async function writeConfig(folder: string, dev: DevChain, url: string, options: OfficeOptions) {
  const keyFile = async (name: string, seed: number) => {
    await writeFile(join(folder, name), hex(secretOf(seed)), { mode: 0o600 })
    return join(folder, name)
  }
  const { rpcs = [dev.rpc], confirmations = 1, gas = {} } = options
  const { chainId: id, settlement, collector, token, tokenName, tokenVersion } = dev
  const config = {
    folder: join(options.disk?.folder ?? folder, 'data'),
    broker: { url },
    keys: { operator: await keyFile('o.key', 2), gateway: await keyFile('g.key', 3) },
    receiver,
    chain: { rpcs, id, settlement, collector, confirmations, gas },
    tokens: [{ address: token, name: tokenName, version: tokenVersion }],
    devices: [device(0)],
    look: '100ms',
    ack: '1s',
    watch: { port: 0 },
  }
  await writeFile(join(folder, 'operate.yaml'), JSON.stringify(config))
}

function startLife(t: After, config: string, env: Readonly<Record<string, string>>): Life {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', entry, '--', '-c', config, '--json'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    },
  )
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.after(() => kill(child, ended))
  const events: Event[] = []
  createInterface(child.stdout).on('line', (text) => events.push(JSON.parse(text)))
  return {
    events,
    ended,
    async until(holds) {
      const endMs = performance.now() + 60_000
      while (performance.now() < endMs) {
        const found = events.find(holds)
        if (found !== undefined) return found
        if (child.exitCode !== null || child.signalCode !== null) break
        await sleep(10)
      }
      const said = events.map((event) => JSON.stringify(event)).join('\n')
      return assert.fail(`it never came: ${holds}\n${said}\n${words}`)
    },
    kill: () => void child.kill('SIGKILL'),
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

const entry = `
  import { Command } from 'commander'
  import { operateCommand } from '${new URL('../../runtime/commands/operate.ts', import.meta.url)}'
  const program = new Command('wayside')
  operateCommand(program)
  await program.parseAsync(['operate', ...process.argv.slice(1)], { from: 'user' })
`

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await ended
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

export type Deal = {
  readonly config: ChannelConfig
  readonly id: string
  /** Everything that the gateway has answered, oldest first. */
  readonly answers: Answer[]
  /** Sends the order, again if need be. */
  order(): Promise<void>
  /** Signs and shows books of the next period that promise so much in all. */
  pay(total: bigint): Promise<void>
}

/** A buyer that deposits on the real chain and speaks the wire over a real line. */
async function openMarket(t: After, dev: DevChain, url: string) {
  const { rpc, chainId, settlement, collector, token, tokenName, tokenVersion } = dev
  const rail = { chainId, settlement }
  const limits = { pollMs: 20 }
  const onChain: Chain = await openChain({
    rpcs: [rpc],
    chainId,
    settlement,
    sender: buyer,
    limits,
  })
  t.after(async () => onChain.close())
  const line = openBroker({ url, clientId: 'test-buyer' })
  t.after(() => line.close())
  const at = topics(operator.address)
  const heard = new Map<string, Uint8Array>()
  await line.subscribe('wayside/1/#', (topic, payload) => heard.set(topic, payload))
  while (!heard.has(at.offer)) await sleep(10)
  const { offer } = readOffer(heard.get(at.offer) ?? new Uint8Array())
  const where = { ...rail, collector, token, tokenName, tokenVersion }

  async function deal(salt: number): Promise<Deal> {
    const config: ChannelConfig = {
      payer: buyer.address,
      payerAuthorizer: buyer.address,
      receiver: offer.receiver,
      receiverAuthorizer: offer.gateway,
      token,
      withdrawDelay: offer.withdrawDelayMinS,
      salt: secretOf(salt),
    }
    const id = channelId(config, rail)
    const session = await generateSessionKey()
    const order = await signOrder(
      {
        ...{ channelId: id, number: 1n, seller: device(0), terms: [new Uint8Array(32)] },
        ...{ ceilingAmount: 1n, ceilingPerMs: 1n, sessionKey: session.publicKey },
        untilMs: Date.now() + 30 * 86_400_000,
      },
      buyer,
    )
    const sealed = encodeOrder({ order, config, rail })
    const recipient = unhex(offer.hpke)
    const { message, keys } = await sealOrder({ order: sealed, session, recipient })
    const answers: Answer[] = []
    await line.subscribe(at.answer(sessionName(keys.id)), (_, payload) => {
      const opened = openMessage(payload, keys, 'answer')
      if (opened !== undefined) answers.push(decodeAnswer(opened.plain))
    })
    let period = 0n
    return {
      ...{ config, id: hex(id), answers },
      order: () => line.publish(at.ask, message),
      async pay(total) {
        period += 1n
        const leaf = { index: 0, device: device(0) as Address, amount: total }
        const shown = await books(newChannel(id, config, rail), period, [leaf])
        const plain = encodeRequest({ kind: 'books', ...shown })
        await line.publish(at.ask, sealMessage('request', keys, period, plain, randomBytes))
      },
    }
  }
  return {
    onChain,
    deal,
    deposit: (config: ChannelConfig, amount: bigint) =>
      onChain.deposit(where, config, amount, buyer),
  }
}
