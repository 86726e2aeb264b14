/**
 * What each action costs, measured on a development chain, beside the goal for it.
 *
 * `node gas.ts` prints a table, `--json` an object {action: {gas, goal}}; it ends with 1 if a goal is missed.
 */
import { parseArgs } from 'node:util'
import { startChain } from '../demo/chain.ts'
import { type Config, channel, openStage, type Party, withdrawDelayS } from './actors.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
// In thousands of gas; a measurement is compared at the precision that its goal is written in.
const goals = {
  'plain transfer, known recipient': '41.3',
  'plain transfer, new recipient': '58.4',
  'deposit, first ever': '139',
  'deposit, new channel': '122',
  'deposit, top-up': '101.5',
  'claim, first': '63',
  'claim, later': '46',
  'claim, each of 100': '18.4',
  'claimWithSignature, first': '72',
  'claimWithSignature, later': '54',
  'claimWithSignature, each of 100': '18.8',
  'settle, receiver new to the token': '70',
  'settle, later': '53',
  'claim + settle, later': '77',
  'refund with claim': '119',
  initiateWithdraw: '52',
  finalizeWithdraw: '56',
  '10,000 devices, one buyer, virgin chain': '280',
  '10,000 devices, one buyer, steady': '220',
} as const
type Action = keyof typeof goals

const million = 1_000_000n
const gas = new Map<Action, bigint>()
const chain = await startChain()
const stage = openStage(chain)
try {
  const payer = await stage.party(1_000n * million)
  const [receiver, authorizer, relay] = [
    await stage.party(),
    await stage.party(),
    await stage.party(),
  ]
  const actors = { payer, receiver, authorizer, relay }
  const [first, second] = await measureDeposits(actors)
  await measureLives(actors)
  await measureClaims(actors, first, second)
  await measureFirsts(actors)
  await measureHundred(actors)
  await measureTransfers(actors)
  await measureWithdrawal(actors, first)
} finally {
  stage.close()
  await chain.stop()
}
report()

function report(): void {
  const rows = (Object.keys(goals) as Action[]).map((action) => {
    const [used, goal] = [Number(gas.get(action)), goals[action]]
    const digits = goal.split('.')[1]?.length ?? 0
    return { action, gas: used, goal, over: Number((used / 1000).toFixed(digits)) > Number(goal) }
  })
  if (values.json) {
    const pairs = rows.map((row) => [row.action, { gas: row.gas, goal: Number(row.goal) * 1000 }])
    console.log(JSON.stringify(Object.fromEntries(pairs)))
  } else {
    for (const { action, gas, goal, over } of rows) {
      console.log(`${action.padEnd(40)} ${gas} of ${goal} k${over ? '  over' : ''}`)
    }
  }
  process.exitCode = rows.some((row) => row.over) ? 1 : 0
}

type Actors = {
  readonly payer: Party
  readonly receiver: Party
  readonly authorizer: Party
  /** Sends what anyone may send. */
  readonly relay: Party
}

async function measureDeposits(actors: Actors): Promise<[Config, Config]> {
  const { payer, receiver, authorizer } = actors
  const first = channel(stage, payer, receiver, authorizer)
  await note('deposit, first ever', deposit(actors, first))
  const second = channel(stage, payer, receiver, authorizer)
  await note('deposit, new channel', deposit(actors, second))
  await note('deposit, top-up', deposit(actors, second))
  return [first, second]
}

/** However many devices sell into it, a channel is one deposit, one claim and one settlement. */
async function measureLives(actors: Actors): Promise<void> {
  const { payer, receiver, authorizer } = actors
  for (const [state, before] of [
    ['virgin chain', 'deposit, first ever'],
    ['steady', 'deposit, new channel'],
  ] as const) {
    const config = channel(stage, payer, receiver, authorizer)
    await deposit(actors, config)
    const rows = [await stage.voucher(config, payer, million)]
    const end = await multicall(receiver, ['claim', [rows]], settleCall(receiver))
    gas.set(`10,000 devices, one buyer, ${state}`, end + (gas.get(before) ?? 0n))
  }
}

async function measureClaims(actors: Actors, direct: Config, relayed: Config): Promise<void> {
  const { payer, receiver, authorizer, relay } = actors
  const rows = async (config: Config, total: bigint) => [await stage.voucher(config, payer, total)]
  await transact(receiver, 'claim', await rows(direct, 1n))
  await note('claim, later', transact(receiver, 'claim', await rows(direct, 2n)))
  await note('settle, later', transact(relay, 'settle', receiver.address, chain.token))
  const third = ['claim', [await rows(direct, 3n)]] as const
  await note('claim + settle, later', multicall(receiver, third, settleCall(receiver)))

  await claimSigned(actors, relayed, 1n)
  await note('claimWithSignature, later', claimSigned(actors, relayed, 2n))
  const last = await rows(relayed, 5n)
  const refund = await stage.signRefund(relayed, 0n, million, authorizer)
  await note(
    'refund with claim',
    multicall(
      relay,
      ['claimWithSignature', [last, await stage.signClaims(last, authorizer)]],
      ['refundWithSignature', [relayed, million, 0n, refund]],
    ),
  )
}

/** Receivers for whom nothing was ever claimed: the first claim writes where nothing stood. */
async function measureFirsts(actors: Actors): Promise<void> {
  const { payer, authorizer, relay } = actors
  const [one, other] = [await stage.party(), await stage.party()]
  const direct = channel(stage, payer, one, authorizer)
  await deposit(actors, direct)
  const rows = [await stage.voucher(direct, payer, million)]
  await note('claim, first', transact(one, 'claim', rows))
  await note(
    'settle, receiver new to the token',
    transact(relay, 'settle', one.address, chain.token),
  )
  const signed = channel(stage, payer, other, authorizer)
  await deposit(actors, signed)
  await note('claimWithSignature, first', claimSigned(actors, signed, million))
}

/** A batch of a hundred channels that were claimed before, by the receiver and by a signature. */
async function measureHundred(actors: Actors): Promise<void> {
  const { payer, receiver, authorizer, relay } = actors
  const configs = Array.from({ length: 100 }, () => channel(stage, payer, receiver, authorizer))
  for (const config of configs) await deposit(actors, config, 1_000n)
  const rows = (total: bigint) =>
    Promise.all(configs.map((config) => stage.voucher(config, payer, total)))
  await transact(receiver, 'claim', await rows(1n))
  gas.set('claim, each of 100', (await transact(receiver, 'claim', await rows(2n))) / 100n)
  const signed = await rows(3n)
  const signature = await stage.signClaims(signed, authorizer)
  const relayed = await transact(relay, 'claimWithSignature', signed, signature)
  gas.set('claimWithSignature, each of 100', relayed / 100n)
}

async function measureTransfers({ payer }: Actors): Promise<void> {
  const { address } = await stage.party()
  const plain = async () => (await stage.send(stage.token, payer, 'transfer', address, 1n)).gasUsed
  await note('plain transfer, new recipient', plain())
  await note('plain transfer, known recipient', plain())
}

async function measureWithdrawal({ payer }: Actors, config: Config): Promise<void> {
  await note('initiateWithdraw', transact(payer, 'initiateWithdraw', config, million / 2n))
  await stage.pass(withdrawDelayS)
  await note('finalizeWithdraw', transact(payer, 'finalizeWithdraw', config))
}

type Call = readonly [method: string, args: readonly unknown[]]

async function note(action: Action, used: Promise<bigint>): Promise<void> {
  gas.set(action, await used)
}

async function transact(from: Party, method: string, ...args: readonly unknown[]): Promise<bigint> {
  return (await stage.send(stage.settlement, from, method, ...args)).gasUsed
}

function multicall(from: Party, ...calls: readonly Call[]): Promise<bigint> {
  const encode = ([method, args]: Call) =>
    stage.settlement.interface.encodeFunctionData(method, args)
  return transact(from, 'multicall', calls.map(encode))
}

async function deposit({ payer, relay }: Actors, config: Config, amount = million) {
  const data = await stage.depositData(config, payer, amount)
  return transact(relay, 'deposit', config, amount, chain.collector, data)
}

async function claimSigned({ payer, authorizer, relay }: Actors, config: Config, total: bigint) {
  const rows = [await stage.voucher(config, payer, total)]
  const signature = await stage.signClaims(rows, authorizer)
  return transact(relay, 'claimWithSignature', rows, signature)
}

function settleCall(receiver: Party): ['settle', [string, string]] {
  return ['settle', [receiver.address, chain.token]]
}
