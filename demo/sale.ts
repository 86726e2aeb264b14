/** Plays one whole sale, from the first process to the last balance, and returns what was counted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openAuditor, sessionsOf } from './auditor.ts'
import { type Player, type Said, start, wayside } from './cast.ts'
import type { Ends } from './ends.ts'
import { gasByAction } from './gas.ts'
import type { Facts } from './report.ts'
import type { Setting } from './setting.ts'
import { type Story, tellBuyer, tellDevice, tellOperator } from './story.ts'

export type Stops = {
  readonly hurry: AbortSignal
  /** Buys until this aborts, or for so many seconds, asked when it begins. */
  readonly enough?: AbortSignal
  readonly buyForS?: () => number
  readonly afterStopS: number
}

const streams = ['air', 'hall', 'verdict']
const eavesdropping = fileURLToPath(new URL('./eavesdropper.ts', import.meta.url))

export async function playSale(
  setting: Setting,
  story: Story,
  end: Ends,
  stops: Stops,
): Promise<Omit<Facts, 'seconds'>> {
  const { chain, broker, world } = setting
  const balances = async () => ({
    buyer: await chain.balanceOf(world.buyer),
    payee: await chain.balanceOf(world.receiver),
  })
  const before = await balances()
  const auditor = openAuditor(broker.url)
  end.add(auditor.close)
  await auditor.ready()
  const thief = cast(end, start, 'eavesdropper', [eavesdropping, '--broker', broker.url])
  await thief.heard((said) => said.ready === true, 'it listened')
  story.say('an eavesdropper hears everything and pays nothing (demo/eavesdropper.ts)')

  const { operator, device } = await openForBusiness(setting, story, end)
  const bought = await buy(setting, story, end, stops)
  auditor.buyerStopped()
  story.say(`the buyer has left; the device goes on for ${stops.afterStopS} s`)
  await sleep(stops.afterStopS * 1000)

  story.say('SIGTERM: the device seals what is open and hands on what is unsent')
  const codes: Record<string, number> = { buyer: bought.code, device: await device.stop() }
  const counted = await device.heard((said) => said.event === 'summary', 'it counted')
  const audit = auditor.audit(bought.sessions)
  const theft = await steal(thief, audit.sample)
  story.say('SIGTERM: the operator claims and settles what was promised')
  codes.operator = await operator.stop()
  await thief.stop()
  const after = await balances()

  const totals = totalsOf(counted)
  story.set('serial', setting.sensors.stats().air?.bytes ?? 0)
  story.set('reading', totals.sensed)
  story.set('inference', totals.inferred)
  return {
    readings: {
      sensed: totals.sensed,
      stored: totals.stored,
      inferred: totals.inferred,
      doubts: totals.doubts,
    },
    epochs: {
      sealed: totals.sealed,
      published: audit.published,
      sold: totals.sold,
      opened: audit.opened.length,
      verified: bought.epochs.size,
      afterStopSealed: audit.afterStop.sealed,
      afterStopOpened: audit.afterStop.opened,
    },
    money: {
      price: String(audit.price),
      promised: String(bought.promised),
      delivered: totals.delivered,
      settled: String(after.payee - before.payee),
      deposited: String(bought.deposited),
      token: {
        buyerBefore: String(before.buyer),
        buyerAfter: String(after.buyer),
        payeeBefore: String(before.payee),
        payeeAfter: String(after.payee),
      },
    },
    gas: await gasByAction(chain.rpc),
    eavesdropper: theft,
    stages: story.stages(),
    oneKey: audit.sample && `${audit.sample.stream}/${audit.sample.number}`,
    codes,
  }
}

/** The operator and the device, up to the enrolment. */
async function openForBusiness({ world }: Setting, story: Story, end: Ends) {
  const operator = cast(
    end,
    wayside,
    'operator',
    ['operate', '--config', world.files.operate, '--json'],
    (said) => tellOperator(story, said),
  )
  await operator.heard((said) => said.event === 'ready', 'it was ready')
  story.say(`wayside operate: the desk of ${world.operator}`)
  const device = cast(end, wayside, 'device', ['run', world.files.device], (said) => {
    tellDevice(story, said)
  })
  await device.heard((said) => said.event === 'running', 'it ran')
  story.say(`wayside run: device ${world.device}`)
  story.add('serial')
  await device.heard((said) => said.event === 'stored', 'it stored a reading')
  story.add('reading')
  return { operator, device }
}

async function buy({ chain, broker, world }: Setting, story: Story, end: Ends, stops: Stops) {
  const epochs = new Set<string>()
  const summaryFile = `${world.folder}/bought.json`
  story.say(`wayside buy: ${streams.join(', ')}, within a budget`)
  const buyer = cast(
    end,
    wayside,
    'buyer',
    [
      ...['buy', '--broker', broker.url, '--operator', world.operator],
      ...streams.flatMap((name) => ['--stream', name]),
      ...['--key', world.files.buyerKey, '--folder', world.files.buyerFolder],
      ...['--rpc', chain.rpc, '--budget', '1.00', '--json', summaryFile],
      ...(stops.buyForS === undefined ? [] : ['--for', `${stops.buyForS()}s`]),
    ],
    (said) => tellBuyer(story, epochs, said),
  )
  await buyer.heard((said) => said.epoch !== undefined, 'it read anything')
  const sessions = sessionsOf(world.files.buyerFolder)
  if (stops.enough !== undefined) {
    await aborted(stops.enough)
    void buyer.stop()
  }
  const code = await buyer.ended
  const { readFile } = await import('node:fs/promises')
  const summary = JSON.parse(await readFile(summaryFile, 'utf8')) as {
    readonly money: { readonly promised: string; readonly deposited: string }
  }
  story.add('deposit', 1)
  story.add('promise', epochs.size)
  return { code, epochs, sessions, ...summary.money }
}

/** The eavesdropper's attempt with nothing, and with one key that was paid for. */
async function steal(
  thief: Player,
  sample: { readonly stream: string; readonly number: number; readonly key: string } | undefined,
): Promise<Facts['eavesdropper']> {
  thief.write('attack')
  const bare = await thief.heard((said) => said.given === null, 'it attacked')
  const given = sample && `${sample.stream}/${sample.number}`
  if (sample !== undefined) thief.write(`attack ${sample.stream} ${sample.number} ${sample.key}`)
  const helped = sample && (await thief.heard((said) => said.given === given, 'it had a key'))
  const tried = bare.tried as { readonly keys: number; readonly guesses: number }
  return {
    seen: Number(bare.seen),
    opened: (bare.opened as readonly string[]).length,
    keysTried: tried.keys,
    guesses: tried.guesses,
    withOneKey: (helped?.opened as readonly string[] | undefined) ?? [],
  }
}

type Ended = {
  readonly sensors: readonly {
    readonly name: string
    readonly moments: number
    readonly doubts: Readonly<Record<string, number>>
  }[]
  readonly sale: { readonly delivered: string }
  readonly totals: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** What the device's last health document says, inferences apart. */
function totalsOf(said: Said) {
  const { sensors, sale, totals } = said as unknown as Ended
  const names = new Set(sensors.map(({ name }) => name))
  const stored = Object.entries(totals.readings_stored ?? {})
  const doubts: Record<string, number> = {}
  for (const [label, count] of Object.entries(totals.doubts ?? {})) {
    const [source = '', reason = ''] = label.split(/:(.*)/)
    if (names.has(source)) doubts[reason] = (doubts[reason] ?? 0) + count
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0)
  const heard = sensors.map(({ moments, doubts: by }) => moments + sum(Object.values(by)))
  const sealed = Object.entries(totals.epochs_sealed ?? {}).filter(([name]) => name !== 'device')
  return {
    sensed: sum(heard),
    stored: sum(stored.filter(([name]) => names.has(name)).map(([, n]) => n)),
    inferred: sum(stored.filter(([name]) => !names.has(name)).map(([, n]) => n)),
    doubts,
    sealed: sum(sealed.map(([, n]) => n)),
    sold: sum(Object.values(totals.epochs_sold ?? {})),
    delivered: sale.delivered,
  }
}

function cast(
  end: Ends,
  by: typeof wayside,
  name: string,
  args: readonly string[],
  hear: (said: Said) => void = () => {},
): Player {
  const player = by({ name, args, hear })
  end.add(player.stop)
  return player
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
