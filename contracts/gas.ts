/**
 * What each action costs, measured on a development chain, beside the goal for it.
 *
 * `node gas.ts` prints a table, `--json` an object {action: {gas, goal}}; it ends with 1 if a goal is missed.
 */
import { parseArgs } from 'node:util'
import { startChain } from '../demo/chain.ts'
import { channel, openStage, type Party, type Stage, withdrawDelayS } from './actors.ts'

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

const chain = await startChain()
const stage = openStage(chain)
const gas = new Map<Action, bigint>()
try {
  await measure(stage)
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

async function measure(stage: Stage): Promise<void> {
  const million = 1_000_000n
  const payer = await stage.party(1_000n * million)
  const receiver = await stage.party()
  const authorizer = await stage.party()
  const relay = await stage.party()
  const transact = async (from: Party, method: string, ...args: readonly unknown[]) =>
    (await stage.send(stage.settlement, from, method, ...args)).gasUsed
  const note = async (action: Action, used: Promise<bigint>) => void gas.set(action, await used)
  const deposit = async (config: ReturnType<typeof channel>, amount: bigint) => {
    const data = await stage.depositData(config, payer, amount)
    return transact(relay, 'deposit', config, amount, stage.chain.collector, data)
  }
  const multicall = (from: Party, ...calls: readonly [string, readonly unknown[]][]) => {
    const data = calls.map(([name, args]) =>
      stage.settlement.interface.encodeFunctionData(name, args),
    )
    return transact(from, 'multicall', data)
  }
  const settleArgs = [receiver.address, stage.chain.token]

  const a = channel(stage, payer, receiver, authorizer)
  await note('deposit, first ever', deposit(a, 10n * million))
  const b = channel(stage, payer, receiver, authorizer)
  await note('deposit, new channel', deposit(b, 10n * million))
  await note('deposit, top-up', deposit(b, 10n * million))

  const life = channel(stage, payer, receiver, authorizer)
  await deposit(life, million)
  const all = [await stage.voucher(life, payer, million)]
  const virgin = await multicall(receiver, ['claim', [all]], ['settle', settleArgs])
  gas.set(
    '10,000 devices, one buyer, virgin chain',
    virgin + (gas.get('deposit, first ever') ?? 0n),
  )

  const steady = channel(stage, payer, receiver, authorizer)
  await deposit(steady, million)
  const rest = [await stage.voucher(steady, payer, million)]
  const again = await multicall(receiver, ['claim', [rest]], ['settle', settleArgs])
  gas.set('10,000 devices, one buyer, steady', again + (gas.get('deposit, new channel') ?? 0n))

  await note('claim, first', transact(receiver, 'claim', [await stage.voucher(a, payer, 1n)]))
  await note('claim, later', transact(receiver, 'claim', [await stage.voucher(a, payer, 2n)]))
  await note('settle, later', transact(relay, 'settle', ...settleArgs))
  const third = [await stage.voucher(a, payer, 3n)]
  const both = multicall(receiver, ['claim', [third]], ['settle', settleArgs])
  await note('claim + settle, later', both)
  for (const [action, amount] of [
    ['first', 1n],
    ['later', 2n],
  ] as const) {
    const rows = [await stage.voucher(b, payer, amount)]
    const signature = await stage.signClaims(rows, authorizer)
    await note(
      `claimWithSignature, ${action}`,
      transact(relay, 'claimWithSignature', rows, signature),
    )
  }
  const refunded = [await stage.voucher(b, payer, 5n)]
  const claimArgs = [refunded, await stage.signClaims(refunded, authorizer)]
  const refundArgs = [b, million, 0n, await stage.signRefund(b, 0n, million, authorizer)]
  await note(
    'refund with claim',
    multicall(relay, ['claimWithSignature', claimArgs], ['refundWithSignature', refundArgs]),
  )

  const strangers = await stage.party()
  const newcomer = channel(stage, payer, strangers, authorizer)
  await deposit(newcomer, million)
  await transact(strangers, 'claim', [await stage.voucher(newcomer, payer, million)])
  await note(
    'settle, receiver new to the token',
    transact(relay, 'settle', strangers.address, stage.chain.token),
  )
  const plain = async (to: string) =>
    (await stage.send(stage.token, payer, 'transfer', to, 1n)).gasUsed
  await note('plain transfer, new recipient', plain(authorizer.address))
  await note('plain transfer, known recipient', plain(authorizer.address))

  await measureHundred(stage, payer, receiver, authorizer, relay)

  await note('initiateWithdraw', transact(payer, 'initiateWithdraw', a, million))
  await stage.pass(withdrawDelayS)
  await note('finalizeWithdraw', transact(payer, 'finalizeWithdraw', a))
}

/** A batch of a hundred channels that were claimed before, by the receiver and by a signature. */
async function measureHundred(
  stage: Stage,
  payer: Party,
  receiver: Party,
  authorizer: Party,
  relay: Party,
): Promise<void> {
  const configs = Array.from({ length: 100 }, () => channel(stage, payer, receiver, authorizer))
  for (const config of configs) {
    const data = await stage.depositData(config, payer, 1_000n)
    const args = [config, 1_000n, stage.chain.collector, data]
    await stage.send(stage.settlement, relay, 'deposit', ...args)
  }
  const rows = (total: bigint) =>
    Promise.all(configs.map((config) => stage.voucher(config, payer, total)))
  await stage.send(stage.settlement, receiver, 'claim', await rows(1n))
  const direct = await stage.send(stage.settlement, receiver, 'claim', await rows(2n))
  gas.set('claim, each of 100', direct.gasUsed / 100n)
  const signed = await rows(3n)
  const signature = await stage.signClaims(signed, authorizer)
  const relayed = await stage.send(stage.settlement, relay, 'claimWithSignature', signed, signature)
  gas.set('claimWithSignature, each of 100', relayed.gasUsed / 100n)
}
