/** A device that is killed again and again while somebody buys from it, up to the last balance. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Player, type Said, wayside } from '../../demo/cast.ts'
import type { Chance } from './chance.ts'
import { type LastWords, live } from './life.ts'
import { purse, type Stage, sold } from './setting.ts'
import type { Line, Testimony } from './testimony.ts'
import { kinds, openWitness, type Witness } from './witness.ts'

export type Played = Testimony & {
  /** Answers of /metrics, over all lives. */
  readonly answers: number
  readonly device: LastWords
  /** Absent where this machine can have no chain. */
  readonly money?: Money
}

export type Money = {
  readonly lines: readonly Line[]
  readonly codes: { readonly buyer: number; readonly operator: number }
  readonly summary: Summary
  readonly balances: { readonly buyer: bigint; readonly payee: bigint; readonly contract: bigint }
}

/** What `wayside buy --json` writes, as far as it is held against the device. */
export type Summary = {
  readonly ok: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly findings: Readonly<Record<string, number>>
  readonly money: Readonly<Record<'promised' | 'price' | 'deposited' | 'promisedTotal', string>>
}

/** Plays it: `kills` deaths at moments that `dice` names, and an orderly end. */
export async function play(stage: Stage, kills: number, dice: Chance): Promise<Played> {
  const { world, end } = stage
  const witness = await openWitness({ ...stage, device: world.device })
  end.add(witness.close)
  const operator = stage.chain && (await openOperator(stage))
  let answers = 0
  let life = await live(stage, witness)
  await life.running()
  const buyer = stage.chain && (await openBuyer(stage))

  for (let kill = 0; kill < kills; kill += 1) {
    await moment(life, witness, dice)
    answers += await life.kill()
    life = await live(stage, witness)
  }
  await life.running()
  await sleep(2_000)

  const bought = buyer && (await stopBuyer(buyer.player, `${world.folder}/bought.json`))
  const device = await life.stop()
  answers += device.answers
  const operatorCode = (await operator?.stop()) ?? 0
  const heard = await witness.testimony()
  const played = { ...heard, answers, device }
  if (stage.chain === undefined || bought === undefined) return played
  const money = {
    lines: buyer?.lines ?? [],
    codes: { buyer: bought.code, operator: operatorCode },
    summary: bought.summary,
    balances: {
      buyer: await stage.chain.balanceOf(world.buyer),
      payee: await stage.chain.balanceOf(world.receiver),
      contract: await stage.chain.balanceOf(stage.chain.settlement),
    },
  }
  return { ...played, money }
}

/** Waits for the moment to die: while it starts, at any time, or while a message is on its way. */
async function moment(life: Awaited<ReturnType<typeof live>>, witness: Witness, dice: Chance) {
  const how = dice.below(6)
  if (how < 1) return sleep(dice.below(startMs))
  await life.running()
  if (how < 3) return sleep(dice.below(anyTimeMs))
  await sleep(dice.below(messageAfterMs))
  const kind = kinds[Math.floor(dice.below(kinds.length))] ?? 'epoch'
  await Promise.race([witness.next(kind), sleep(messageWithinMs)])
  return sleep(dice.below(messageHurtsMs))
}

const startMs = 1_200
const anyTimeMs = 1_800
const messageAfterMs = 1_000
const messageWithinMs = 1_500
const messageHurtsMs = 20

async function openOperator({ world, end }: Stage): Promise<Player> {
  const args = ['operate', '--config', world.files.operate, '--json']
  const operator = wayside({ name: 'operator', args, hear() {} })
  end.add(operator.stop)
  await operator.heard(({ event }) => event === 'ready', 'it was ready')
  return operator
}

/** One buyer for the whole journey, from its first reading. */
async function openBuyer({ world, chain, brokerUrl, end }: Stage) {
  const lines: Line[] = []
  const hear = (said: Said) => {
    if (said.epoch !== undefined) lines.push(said as unknown as Line)
  }
  const args = [
    ...['buy', '--broker', brokerUrl, '--operator', world.operator],
    ...sold.flatMap((name) => ['--stream', name]),
    ...['--key', world.files.buyerKey, '--folder', world.files.buyerFolder],
    ...['--rpc', chain?.rpc ?? '', '--budget', `${purse / 2_000_000n}`],
    ...['--json', `${world.folder}/bought.json`],
  ]
  const player = wayside({ name: 'buyer', args, hear })
  end.add(player.stop)
  await player.heard(({ epoch }) => epoch !== undefined, 'it read anything')
  return { player, lines }
}

async function stopBuyer(buyer: Player, file: string) {
  const code = await buyer.stop()
  return { code, summary: JSON.parse(await readFile(file, 'utf8')) as Summary }
}
