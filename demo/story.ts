/** The demo's story: each stage of the flow, the file where it happens, and what the newcomer sees of it. */
import { decimalText } from '../runtime/config/quantity.ts'
import type { Said } from './cast.ts'
import type { Screen } from './screen.ts'
import { decimals, modelStream } from './world.ts'

export type Stage = {
  readonly name: string
  readonly file: string
  readonly count: number
  /** What is counted. */
  readonly unit: string
}

const table = [
  ['serial', 'runtime/sense/port.ts', 'bytes', 'bytes on a line become frames'],
  ['reading', 'runtime/sense/supervisor.ts', 'sensed', 'a frame that its driver believes is one'],
  ['inference', 'runtime/infer/infer.ts', 'inferred', 'a model judges the newest readings'],
  ['sign', 'runtime/sign/epoch.ts', 'commits', 'with every commit a signature over all it holds'],
  ['store', 'runtime/store/commit.ts', 'stored', 'on disk: from here on nothing is lost'],
  ['seal', 'runtime/wire/envelope.ts', 'epochs', 'an epoch closes: sealed, its header signed'],
  ['publish', 'runtime/stream/outbox.ts', 'epochs', 'the broker has said PUBACK'],
  ['deposit', 'contracts/src/BatchSettlement.sol', 'deposits', 'the buyer opens a channel'],
  ['grant', 'runtime/operator/gateway.ts', 'grants', 'the device learns how deep the channel is'],
  ['order', 'runtime/sell/orders.ts', 'orders', 'consent to terms and a ceiling, sealed'],
  ['promise', 'runtime/buyer/purse.ts', 'vouchers', 'the buyer saw a header and signs its price'],
  ['deliver', 'runtime/sell/desk.ts', 'epochs', 'the device gives the keys of what was promised'],
  ['ack', 'runtime/operator/desk.ts', 'acks', "the buyer's books are safe with the operator"],
  ['open', 'runtime/wire/epoch.ts', 'epochs', 'the key fits its commitment, the body opens'],
  ['verify', 'runtime/buyer/follow.ts', 'readings', 'signature, chain, inclusion and terms hold'],
  ['settle', 'runtime/operator/settler.ts', 'claims', 'promised money is claimed and paid out'],
] as const

export type StageName = (typeof table)[number][0]

export type Story = {
  /** Tells of this stage, if it was not told yet. */
  tell(stage: StageName, detail?: string): void
  /** So many more of this stage; the first time, it is told with its file. */
  add(stage: StageName, by?: number, detail?: string): void
  set(stage: StageName, count: number): void
  /** Something beside the stages, and the file where it is written. */
  say(text: string, file?: string): void
  /** What the operator holds a promise of so far, in the token's smallest unit. */
  paid(amount: bigint): void
  stages(): readonly Stage[]
}

/** Tells the stages as they happen; `nowS` is seconds since the start. */
export function openStory(nowS: () => number, screen: Screen): Story {
  const rows = table.map(([name, file, unit, what]) => ({ name, file, unit, what, count: 0 }))
  const stages = new Map<StageName, (typeof rows)[number]>(rows.map((row) => [row.name, row]))
  const told = new Set<StageName>()
  let paid = 0n
  const stageOf = (name: StageName) => stages.get(name) as (typeof rows)[number]
  const at = () => `${nowS().toFixed(1).padStart(5)} s  `
  const where = (file: string) => screen.line(' '.repeat(20), ['dim', `→ ${file}`])

  function tell(stage: StageName, detail = ''): void {
    if (told.has(stage)) return
    told.add(stage)
    const { file, what } = stageOf(stage)
    screen.line(at(), ['bold', stage.padEnd(11)], detail === '' ? what : `${what}: ${detail}`)
    where(file)
  }

  function roll(): void {
    const count = (name: StageName) => stageOf(name).count
    screen.status(
      [
        `${count('reading')} sensed`,
        `${count('store') - count('inference')} stored`,
        `${count('seal')} sealed`,
        `${count('publish')} published`,
        `${count('deliver')} sold`,
        `${count('open')} opened`,
        `${tokens(paid)} paid`,
      ].join(' · '),
    )
  }

  return {
    tell,
    add(name, by = 1, detail = '') {
      if (by > 0) tell(name, detail)
      stageOf(name).count += by
      roll()
    },
    set(name, count) {
      if (count > 0) tell(name)
      stageOf(name).count = count
      roll()
    },
    say(text, file) {
      screen.line(at(), text)
      if (file !== undefined) where(file)
    },
    paid(amount) {
      paid = amount
    },
    stages: () => rows.map(({ name, file, unit, count }) => ({ name, file, unit, count })),
  }
}

/** What the device logs, as stages. */
export function tellDevice(story: Story, said: Said): void {
  const stream = String(said.stream)
  const count = Number(said.count)
  switch (said.event) {
    case 'doubt':
      if (said.source !== modelStream) story.add('reading')
      break
    case 'stored':
      story.add(stream === modelStream ? 'inference' : 'reading', count)
      // Its note comes a moment later, and is of the same commit.
      story.tell('sign')
      story.add('store', count)
      break
    case 'committed':
      if (Number(said.readings) > 0) story.add('sign')
      break
    case 'sealed':
      if (count > 0) {
        story.add('seal', 1, `${stream} ${said.number}, ${count} readings, ${said.bytes} bytes`)
      }
      break
    case 'published':
      // The device's own chain tells of clocks and generations, not of sensors.
      if (said.stream !== undefined && stream !== 'device') story.add('publish', 1, stream)
      break
    case 'opened':
      story.add('order', 1, `channel ${short(said.channel)}`)
      break
    case 'sold':
      story.tell('promise')
      story.add('deliver', Number(said.epochs), `for ${tokens(said.amount)}`)
      break
  }
}

/** What the operator's desk prints, as stages. */
export function tellOperator(story: Story, said: Said): void {
  switch (said.event) {
    case 'deposited':
      story.add('deposit', 1, `${tokens(said.balance)}, without gas of its own`)
      break
    case 'granted':
      story.add('grant', 1, `up to ${tokens(said.cap)}`)
      break
    case 'acked':
      // Every promise is a period of its own, so the newest period counts them.
      story.set('promise', Number(said.period))
      story.add('ack', 1, `${tokens(said.total)} so far`)
      story.paid(BigInt(String(said.total)))
      break
    case 'claimed':
      story.add('settle', 1, `${tokens(said.value)}, ${said.gas} gas`)
      break
  }
}

/** The buyer's verified readings, and the epochs that they come from. */
export function tellBuyer(story: Story, epochs: Set<string>, said: Said): void {
  if (said.epoch === undefined) return
  const epoch = `${said.stream}/${said.epoch}`
  if (!epochs.has(epoch)) story.add('open', 1, epoch)
  epochs.add(epoch)
  story.add('verify', 1, `${epoch}#${said.index} ${JSON.stringify(said.values)}`)
}

/** An amount as the token writes it: 9000 millionths are 0.009. */
export function tokens(amount: unknown): string {
  return decimalText(BigInt(String(amount)), decimals)
}

function short(id: unknown): string {
  return `${String(id).slice(0, 10)}…`
}
