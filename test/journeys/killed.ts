/** A device that is killed again and again while somebody buys from it, up to the last balance. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Player, type Said, wayside } from '../../demo/cast.ts'
import type { Chance } from './chance.ts'
import { purse, type Stage, sold } from './setting.ts'
import type { Line, Testimony } from './testimony.ts'
import { openWitness, type Witness } from './witness.ts'

export type Played = Testimony & {
  /** Answers of /metrics, over all lives. */
  readonly answers: number
  /** The device's last words: its health when it ended in order. */
  readonly device: { readonly code: number; readonly unsent: number; readonly sale: Sale }
  /** Absent where this machine can have no chain. */
  readonly money?: Money
}

export type Sale = { readonly promised: string; readonly delivered: string }

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
    // Some die while they start, most in mid-epoch.
    if (dice.below(4) >= 1) await life.running()
    await sleep(dice.below(1_800))
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

/** One life of the device, watched. */
async function live({ world, end }: Stage, witness: Witness) {
  const { told, dead } = witness.born()
  const hear = (said: Said) => {
    if (said.event === 'stored') told(String(said.stream), Number(said.count))
  }
  const player = wayside({ name: 'device', args: ['run', world.files.device], hear })
  end.add(player.stop)
  return {
    running: () => player.heard(({ event }) => event === 'running', 'it ran'),
    async kill() {
      process.kill(player.pid, 'SIGKILL')
      const code = await player.ended
      if (code !== 137) throw new Error(`the device ended by itself with ${code}`)
      return dead()
    },
    async stop() {
      const code = await player.stop()
      const answers = await dead()
      const { unsent } = await player.heard(({ event }) => event === 'stopped', 'it stopped')
      const last = await player.heard(({ event }) => event === 'summary', 'it counted')
      return { code, answers, unsent: Number(unsent), sale: last.sale as Sale }
    },
  }
}

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
