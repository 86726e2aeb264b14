/** What `wayside operate` opens: keys, books, chain and broker, wired to gateway and settler. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { x25519 } from '@noble/curves/ed25519.js'
import { randomBytes } from '#crypto'
import { decimalText } from '../config/quantity.ts'
import { configFault, readYaml } from '../config/yamlfile.ts'
import { readKeyFile, readPassword } from '../disk/keyfile.ts'
import { type FolderLock, lockFolder } from '../disk/lock.ts'
import { openSecret } from '../disk/secret.ts'
import { fault } from '../faults.ts'
import { type Broker, openBroker } from '../link/broker.ts'
import type { Chain } from '../link/chain.ts'
import type { LinkNote } from '../link/limits.ts'
import {
  gasOf,
  type OperatorConfig,
  operatorSchema,
  policyOf,
  railsOf,
  registerOf,
} from '../operator/config.ts'
import { type Gateway, openGateway } from '../operator/gateway.ts'
import { type Ledger, openLedger } from '../operator/ledger.ts'
import { checkLost } from '../operator/lost.ts'
import type { Note } from '../operator/note.ts'
import { openSettler, type Settler } from '../operator/settler.ts'
import { openStanding } from '../operator/standing.ts'
import { type Money, sentenceOf } from '../operator/words.ts'
import { type Hex, hex } from '../wire/bytes.ts'
import { shown } from '../wire/shown.ts'
import { localSigner, type Signer } from '../wire/signer.ts'
import { placedDesk } from './check.ts'
import { type DeskWindow, openDeskWindow, watchDesk } from './operatewatch.ts'

export type Office = {
  readonly gateway: Gateway
  readonly settler: Settler
  /** What is promised and not claimed yet, an amount a token, as people write it. */
  unclaimed(): readonly string[]
  /** False when the broker did not let go in time; everything else is closed all the same. */
  close(): Promise<boolean>
}

type Open = {
  readonly lock: FolderLock
  ledger?: Ledger
  chain?: Chain
  broker?: Broker
  desk?: DeskWindow
}

/** How long the broker has to take its leave. */
const leaveMs = 5_000

/** Opens every line of the desk; what fails closes those before it. Throws the signal's reason at its end. */
export async function openOffice(
  config: OperatorConfig,
  json: boolean,
  signal: AbortSignal,
): Promise<Office> {
  const lock = await lockFolder(config.folder)
  const open: Open = { lock }
  const close = async () => {
    const left = open.broker?.close().then(() => true) ?? true
    const closed = await Promise.race([left, setTimeout(leaveMs, false, { ref: false })])
    await open.desk?.window.close()
    open.chain?.close()
    open.ledger?.close()
    await lock.release()
    return closed
  }
  let gateway: Gateway | undefined
  try {
    const keys = await openKeys(config)
    open.ledger = openLedger(join(config.folder, 'gateway.sqlite'))
    console.error(`asking the chain at ${config.chain.rpcs.length} endpoint(s) …`)
    const tell = teller(config, json, () => gateway?.channels() ?? [])
    const watch = watchDesk(config)
    const note = (news: Note) => {
      watch.told(news)
      tell(news)
    }
    open.chain = await chainOf(config, keys, note)
    console.error(`connecting to ${config.broker.url} …`)
    await compare(config, keys, open.ledger, signal)
    open.broker = await brokerOf(config, `wayside-gateway-${keys.operator.address}`, note)
    const { ledger, chain, broker } = open
    let settler: Settler | undefined
    gateway = await openGateway({
      broker,
      ledger,
      register: registerOf(config, keys.operator.address),
      ...keys,
      receiver: config.receiver,
      rails: railsOf(config),
      withdrawDelayMinS: config.withdrawDelayMin / 1000,
      seen: (channel) => chain.look(channel),
      chainS: chain.timeS,
      lookMs: config.look,
      ackMs: config.ack,
      note,
      async looked() {
        await settler?.rescue()
        open.desk?.look()
      },
    })
    settler = openSettler({
      keeper: gateway.keeper,
      chain,
      policy: policyOf(config),
      schedule: config.settle.schedule,
      note,
    })
    const who = { operator: keys.operator.address, gateway: keys.gateway.address }
    open.desk = await openDeskWindow({ config, watch, gateway, keys: who, line: broker, note })
    const { keeper, channels } = gateway
    const standing = openStanding(keeper, () => performance.now())
    const money = moneyIn(config, channels)
    const unclaimed = () =>
      Object.entries(standing().unclaimed).map(([token, sum]) => money(sum, token as Hex))
    return { gateway, settler, unclaimed, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** The desk's config in this file, with every path in its place. Throws CONFIG_UNREADABLE, CONFIG_INVALID. */
export async function loadOperatorConfig(path: string): Promise<OperatorConfig> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw fault('CONFIG_UNREADABLE', { path, why: cause.message }, cause)
  })
  const checked = readYaml(operatorSchema, text)
  if (!checked.ok) throw configFault(path, checked.problems)
  return placedDesk(checked.value, dirname(path))
}

type Keys = {
  readonly operator: Signer
  readonly gateway: Signer
  readonly sender: Signer
  readonly hpke: { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array }
}

/** The operator's key alone, as whoever only reads needs it: nothing is made. */
export async function openOperator({ keys }: OperatorConfig): Promise<Signer> {
  return signerIn(keys.operator, await passwordOf(keys))
}

/** The desk's keys, from the files that its config names; its `hpke.key` is made where there is none. */
async function openKeys({ folder, keys }: OperatorConfig): Promise<Keys> {
  const password = await passwordOf(keys)
  const privateKey = await openSecret(join(folder, 'hpke.key'), randomBytes)
  const gateway = await signerIn(keys.gateway, password)
  return {
    operator: await signerIn(keys.operator, password),
    gateway,
    sender: keys.gas === undefined ? gateway : await signerIn(keys.gas, password),
    hpke: { publicKey: x25519.getPublicKey(privateKey), privateKey },
  }
}

async function passwordOf({ passwordFile }: OperatorConfig['keys']): Promise<string | undefined> {
  return passwordFile === undefined ? undefined : await readPassword(passwordFile)
}

async function signerIn(path: string, password: string | undefined): Promise<Signer> {
  return localSigner(await readKeyFile(path, password))
}

async function chainOf(
  config: OperatorConfig,
  { gateway, sender }: Keys,
  note: (note: Note) => void,
): Promise<Chain> {
  const { rpcs, id: chainId, settlement, confirmations, gas } = config.chain
  const { openChain } = await import('../link/chain.ts')
  return openChain({
    ...{ rpcs, chainId, settlement, confirmations, sender, note },
    authorizer: gateway,
    gas: gasOf(config),
    limits: { minedMs: gas.minedAfter },
  })
}

async function brokerOf(
  { broker: line }: OperatorConfig,
  clientId: string,
  note: (note: Note) => void,
): Promise<Broker> {
  const broker = openBroker({ ...line, clientId, note: (news) => note(brokerNote(news)) })
  try {
    await broker.ready()
    return broker
  } catch (cause) {
    await broker.close()
    throw cause
  }
}

/** The line's own notes, as the desk tells them. */
function brokerNote(news: LinkNote): Note {
  if (news.event === 'connected') return { event: 'connected' }
  if (news.event === 'disconnected') return { event: 'disconnected', why: news.why }
  if (news.event === 'login renewed') return { event: 'renewed' }
  const where = news.event === 'refused' ? news.topic : 'broker'
  const cure = 'cure' in news ? `; ${news.cure}` : ''
  return { event: 'trouble', where, why: `${news.why}${cure}` }
}

/** Looks, over a line of its own, whether the broker knows more of us than our books. */
async function compare(
  config: OperatorConfig,
  { gateway }: Keys,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  const line = await brokerOf(config, `wayside-books-${gateway.address}`, () => {})
  try {
    await checkLost(line, gateway.address, ledger.channels(), signal)
  } finally {
    await line.close()
  }
}

/** Prints a line a note: JSON for programs, sentences for people. */
function teller(
  config: OperatorConfig,
  json: boolean,
  channels: Gateway['channels'],
): (note: Note) => void {
  const money = moneyIn(config, channels)
  return (note) => {
    const line = json ? { at: new Date().toISOString(), ...note } : undefined
    console.log(line === undefined ? shown(sentenceOf(note, money)) : JSON.stringify(line, spelled))
  }
}

/** Amounts of a token, or of a channel's token, in that token's own unit. */
function moneyIn({ tokens }: OperatorConfig, channels: Gateway['channels']): Money {
  return (amount, of) => {
    const id = [...channels()].find((channel) => channel.id === of)?.config.token ?? of
    const token = tokens.find(({ address }) => address === id)
    return token === undefined
      ? `${amount}`
      : `${decimalText(amount, token.decimals)} ${token.name}`
  }
}

function spelled(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? hex(value) : value
}
