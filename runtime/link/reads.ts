/** What a chain says of channels and accounts, as far as its endpoints agree. */
import { keccak256 } from '#crypto'
import { type Fault, fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import { smaller } from '../wire/amount.ts'
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import { type ChannelConfig, channelId, type Rail } from '../wire/channel.ts'
import { settlementCall, settlementNumbers, tokenCall } from './contract.ts'
import type { Answer, Endpoints } from './endpoints.ts'
import { feesOf } from './gasprice.ts'
import type { Chain, ChainOptions, Sighting } from './money.ts'
import { codeAt, coinOf, feesAt, type Head, headOf, view } from './node.ts'
import type { Rpc } from './rpc.ts'

export type Reads = Pick<
  Chain,
  'state' | 'look' | 'balanceOf' | 'gasOf' | 'fees' | 'timeS' | 'authorizes' | 'allowance'
>

export function openReads(circle: Endpoints<Rpc>, options: ChainOptions): Reads {
  const { chainId, settlement, confirmations = 1 } = options
  const look: Reads['look'] = (config) =>
    sight(circle, config, { chainId, settlement }, confirmations)
  const head = async () => {
    const heads = await circle.ask(headOf)
    return commonHead(circle, heads).number
  }
  const tokenNumber = async (what: string, to: Address, data: Hex) => {
    const block = await head()
    const answer = await circle.agreed(what, (node) => view(node, { to, data, block }))
    return answer === '0x' ? 0n : BigInt(answer)
  }
  return {
    look,
    async state(config) {
      const { doubt, ...state } = await look(config)
      if (doubt !== undefined) throw doubt
      return state
    },
    balanceOf: (token, account) =>
      tokenNumber(`tokens of ${account}`, token, tokenCall('balanceOf', [account])),
    async gasOf(account) {
      const block = await head()
      return circle.agreed(`gas of ${account}`, (node) => coinOf(node, account, block))
    },
    fees: async () => feesOf(await circle.some(feesAt)),
    timeS: async () => Math.min(...(await circle.each(headOf)).map(({ timeS }) => timeS)),
    async authorizes(token) {
      const data = tokenCall('authorizationState', [`0x${'00'.repeat(20)}`, `0x${'00'.repeat(32)}`])
      const asked = await circle.ask((node) => view(node, { to: token, data }))
      const said = asked.map((answer) => {
        // A token without the function reverts, or has a fallback that returns nothing.
        if (answer.ok) return answer.value.length === 66
        if (answer.fault.code === 'CHAIN_REFUSED') return false
        throw answer.fault
      })
      const doubt = circle.compare(`ERC-3009 of ${token}`, said.map(String))
      if (doubt !== undefined) throw doubt
      return said[0] === true
    },
    allowance: (token, owner, spender) =>
      tokenNumber(`allowance of ${owner}`, token, tokenCall('allowance', [owner, spender])),
  }
}

/** Throws CHAIN_NO_CONTRACT when those endpoints that answer find no code there. */
export async function checkContract(
  circle: Endpoints<Rpc>,
  { chainId, settlement }: ChainOptions,
): Promise<void> {
  const answers = await circle.ask((node) => codeAt(node, settlement))
  // A chain that an endpoint names wrongly is a mistake in the config: nobody should start with it.
  const other = answers.find((answer) => !answer.ok && answer.fault.code === 'CHAIN_OTHER')
  if (other?.ok === false) throw other.fault
  const codes = answers.map((answer) => (answer.ok ? answer.value : undefined))
  const found = codes.filter((code) => code !== undefined)
  if (found.length === 0) throw firstFault(answers)
  const doubt = circle.compare('the contract', codes.map(fingerprint))
  if (doubt !== undefined) throw doubt
  if (found[0] === '0x') throw fault('CHAIN_NO_CONTRACT', { settlement, chainId })
}

/** All of a contract's code would fill the screen: its hash, as chains know it. */
function fingerprint(code: Hex | undefined): string | undefined {
  return code === undefined || code === '0x' ? code : hex(keccak256(unhex(code)))
}

type Seen = {
  readonly balance: bigint
  readonly claimed: bigint
  /** Of the pending withdrawal; since is 0 where there is none. */
  readonly amount: bigint
  readonly since: bigint
  readonly refunds: bigint
}
type Reading = {
  /** At the newest block of that endpoint, and at the newest that all have. */
  readonly newest: Seen
  readonly common: Seen
  /** Balance k blocks below that. */
  readonly deep: bigint
}

/**
 * Good news is what all say of one block, k deep; bad news what any says of its newest. An endpoint that
 * fails or contradicts leaves the bad news, and a doubt beside it.
 */
async function sight(
  circle: Endpoints<Rpc>,
  config: ChannelConfig,
  rail: Rail,
  confirmations: number,
): Promise<Sighting> {
  const id = channelId(config, rail)
  const heads = await circle.ask(headOf)
  const { number: common } = commonHead(circle, heads)
  const deep = Math.max(0, Math.min(common, common - confirmations + 1))
  const answers = await circle.ask((node, place) => {
    const head = heads[place]
    if (head?.ok !== true) throw head?.fault ?? new RangeError('no such endpoint')
    return readingOf(node, rail.settlement, id, { newest: head.value.number, common, deep })
  })
  const good = answers.filter((answer) => answer.ok).map(({ value }) => value)
  const [first] = good
  if (first === undefined) throw firstFault(answers)
  const said = answers.map((answer) => (answer.ok ? spelled(answer.value) : undefined))
  const doubt = circle.compare(`channel ${hex(id)}`, said) ?? answers.find(isBad)?.fault
  const withdrawal = worst(good, config)
  return {
    balance: good
      .flatMap((one) => [one.newest.balance, one.common.balance, one.deep])
      .reduce(smaller),
    totalClaimed: good.map((one) => one.common.claimed).reduce(smaller),
    refundNonce: first.common.refunds,
    ...(withdrawal === undefined ? {} : { withdrawal }),
    ...(doubt === undefined ? {} : { doubt }),
  }
}

async function readingOf(
  node: Rpc,
  settlement: Address,
  id: Uint8Array,
  at: { readonly newest: number; readonly common: number; readonly deep: number },
): Promise<Reading> {
  const ask = async (method: string, block: number) => {
    const data = settlementCall(method, [id])
    return settlementNumbers(method, await view(node, { to: settlement, data, block }))
  }
  const seen = async (block: number): Promise<Seen> => {
    const [[balance = 0n, claimed = 0n], [amount = 0n, since = 0n], [refunds = 0n]] =
      await Promise.all([
        ask('channels', block),
        ask('pendingWithdrawals', block),
        ask('refundNonce', block),
      ])
    return { balance, claimed, amount, since, refunds }
  }
  const common = await seen(at.common)
  const newest = at.newest === at.common ? common : await seen(at.newest)
  const deep = at.deep === at.common ? common.balance : (await ask('channels', at.deep))[0]
  return { newest, common, deep: deep ?? 0n }
}

function spelled({ common, deep }: Reading): string {
  const { balance, claimed, amount, since, refunds } = common
  return `${balance} held (${deep} deep), ${claimed} claimed, ${amount} withdrawn at ${since}, ${refunds} refunds`
}

/** The largest withdrawal that any endpoint shows, and whether all do. */
function worst(good: readonly Reading[], { withdrawDelay }: ChannelConfig): Sighting['withdrawal'] {
  const pending = good
    .flatMap(({ newest, common }) => [newest, common])
    .filter(({ since }) => since > 0n)
    .reduce<Seen | undefined>(
      (most, one) => (one.amount > (most?.amount ?? -1n) ? one : most),
      undefined,
    )
  if (pending === undefined) return undefined
  const agreed = good.every(({ common }) => common.since > 0n)
  return { amount: pending.amount, atS: Number(pending.since) + withdrawDelay, agreed }
}

/** The newest block that all who answer have; tells who stands still. Throws when nobody answers. */
function commonHead(circle: Endpoints<Rpc>, heads: readonly Answer<Head>[]): Head {
  circle.paced(heads.map((head) => (head.ok ? head.value.timeS : undefined)))
  const good = heads.filter((head) => head.ok).map(({ value }) => value)
  if (good.length === 0) throw firstFault(heads)
  return good.reduce((lowest, one) => (one.number < lowest.number ? one : lowest))
}

function firstFault(answers: readonly Answer<unknown>[]): Fault {
  return answers.find(isBad)?.fault ?? fault('CHAIN_UNREACHABLE', { rpc: 'any', why: 'no answer' })
}

function isBad(answer: Answer<unknown>): answer is Extract<Answer<unknown>, { ok: false }> {
  return !answer.ok
}
