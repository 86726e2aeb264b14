/** The demo's story: each stage of the flow, the file where it happens, and what the newcomer sees of it. */
import type { Said } from './cast.ts'

export type Stage = { readonly name: string; readonly file: string; count: number }

const table = [
  ['serial', 'runtime/sense/port.ts', 'bytes on a line become frames'],
  ['reading', 'runtime/sense/supervisor.ts', 'a frame that its driver believes is a reading'],
  ['inference', 'runtime/infer/infer.ts', 'a model judges the newest readings'],
  ['sign', 'runtime/sign/epoch.ts', 'readings and the tree head that signs them, in one commit'],
  ['store', 'runtime/store/commit.ts', 'on disk: from here on nothing is lost'],
  ['seal', 'runtime/wire/envelope.ts', 'an epoch closes: sealed, and its header signed'],
  ['publish', 'runtime/stream/outbox.ts', 'the broker has said PUBACK'],
  ['deposit', 'contracts/src/BatchSettlement.sol', 'the buyer opens a channel, without gas'],
  ['order', 'runtime/sell/orders.ts', 'consent: terms, ceiling and session, signed and sealed'],
  ['grant', 'runtime/operator/gateway.ts', 'the operator tells the device how deep the channel is'],
  ['promise', 'runtime/buyer/purse.ts', 'the buyer saw a header and signs its price'],
  ['deliver', 'runtime/sell/desk.ts', 'the device gives the keys of what was promised'],
  ['ack', 'runtime/operator/desk.ts', "the buyer's books are safe with the operator"],
  ['open', 'runtime/wire/epoch.ts', 'the key fits its commitment, the body opens'],
  ['verify', 'runtime/buyer/follow.ts', 'signature, chain, inclusion and terms hold'],
  ['settle', 'runtime/operator/settler.ts', 'promised money is claimed and paid out'],
] as const

export type StageName = (typeof table)[number][0]

export type Story = {
  /** So many more of this stage; the first time, it is told with its file. */
  add(stage: StageName, by?: number, what?: string): void
  set(stage: StageName, count: number): void
  say(text: string): void
  stages(): readonly Stage[]
}

/** Tells the stages as they happen; `nowS` is seconds since the start. */
export function openStory(nowS: () => number, write: (line: string) => void): Story {
  const stages = new Map(
    table.map(([name, file, what]) => [name as string, { name, file, what, count: 0 }]),
  )
  const stageOf = (name: StageName) => {
    const stage = stages.get(name)
    if (stage === undefined) throw new RangeError(`no stage is called ${name}`)
    return stage
  }
  const at = () => `${nowS().toFixed(1).padStart(5)} s`
  return {
    add(name, by = 1, detail = '') {
      const stage = stageOf(name)
      if (stage.count === 0 && by > 0) {
        write(`${at()}  ${name.padEnd(10)} ${stage.what}${detail === '' ? '' : `: ${detail}`}`)
        write(`${' '.repeat(20)}→ ${stage.file}`)
      }
      stage.count += by
    },
    set(name, count) {
      stageOf(name).count = count
    },
    say: (text) => write(`${at()}  ${text}`),
    stages: () => [...stages.values()].map(({ name, file, count }) => ({ name, file, count })),
  }
}

/** What the device logs, as stages. */
export function tellDevice(story: Story, said: Said): void {
  const stream = String(said.stream)
  if (said.event === 'committed' && Number(said.readings) > 0) story.add('sign')
  if (said.event === 'stored') story.add('store', Number(said.count))
  if (said.event === 'sealed' && Number(said.count) > 0) {
    story.add('seal', 1, `${stream} ${said.number}, ${said.count} readings, ${said.bytes} bytes`)
  }
  if (said.event === 'published' && said.stream !== undefined) story.add('publish', 1, stream)
  if (said.event === 'opened') story.add('order', 1, `channel ${short(said.channel)}`)
  if (said.event === 'sold') story.add('deliver', Number(said.epochs), `${said.amount} units`)
}

/** What the operator's desk prints, as stages. */
export function tellOperator(story: Story, said: Said): void {
  if (said.event === 'granted') story.add('grant', 1, `up to ${said.cap}`)
  if (said.event === 'acked') story.add('ack', 1, `${said.total} so far`)
  if (said.event === 'claimed') story.add('settle', 1, `${said.value}, ${said.gas} gas`)
}

/** The buyer's verified readings, and the epochs that they come from. */
export function tellBuyer(story: Story, epochs: Set<string>, said: Said): void {
  if (said.epoch === undefined) return
  const epoch = `${said.stream}/${said.epoch}`
  const values = JSON.stringify(said.values)
  if (!epochs.has(epoch)) story.add('open', 1, epoch)
  epochs.add(epoch)
  story.add('verify', 1, `${epoch}#${said.index} ${values.slice(0, 60)}…`)
}

function short(id: unknown): string {
  return `${String(id).slice(0, 10)}…`
}
