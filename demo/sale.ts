/** Plays one whole sale, from the first process to the last balance, and returns what was counted. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { aborted } from '../runtime/time/pause.ts'
import { type Auditor, openAuditor, sessionsOf } from './auditor.ts'
import type { Cast, Player } from './cast.ts'
import type { Ends } from './ends.ts'
import { blockNumber, gasByAction } from './gas.ts'
import type { Facts } from './report.ts'
import type { Setting } from './setting.ts'
import { type Story, tellBuyer, tellDevice, tellOperator } from './story.ts'
import { totalsOf } from './totals.ts'
import { prices } from './world.ts'

export type Stops = {
  /** Called when the first reading was bought: from here on there is something to settle. */
  selling(): void
  /** When the buyer shall leave. */
  readonly enough: AbortSignal
  /** How long the device goes on without it. */
  readonly afterStopS: number
}

type Parts = {
  readonly setting: Setting
  readonly story: Story
  readonly end: Ends
  readonly cast: Cast
}

const eavesdropping = fileURLToPath(new URL('./eavesdropper.ts', import.meta.url))

export async function playSale(parts: Parts, stops: Stops): Promise<Omit<Facts, 'seconds'>> {
  const { setting, story, end } = parts
  const { chain, broker, world } = setting
  const balances = async () => ({
    buyer: await chain.balanceOf(world.buyer),
    payee: await chain.balanceOf(world.receiver),
  })
  const before = await balances()
  const blocksBefore = await blockNumber(chain.rpc)
  const auditor = openAuditor(broker.url)
  await end.add(auditor.close)
  const { thief, operator, device, settled } = await openForBusiness(parts, auditor)
  const bought = await buy(parts, stops)
  auditor.buyerStopped()
  story.say(`the buyer has left; the device goes on for ${stops.afterStopS} s`)
  await sleep(stops.afterStopS * 1000)

  story.say('SIGTERM: the device seals what is open and hands on what is unsent')
  const deviceCode = await device.stop()
  const totals = totalsOf(await device.heard((said) => said.event === 'summary', 'it counted'))
  story.say('SIGTERM: the operator settles; the eavesdropper tries everything that it heard')
  const audit = auditor.audit(bought.sessions)
  const [operatorCode, theft] = await Promise.all([operator.stop(), steal(thief, audit.sample)])
  const after = await balances()

  story.set('serial', bytesPlayed(setting))
  story.set('reading', totals.sensed)
  const { sensed, stored, inferred, doubts } = totals
  return {
    readings: { sensed, stored, inferred, doubts },
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
      promised: bought.promised,
      delivered: totals.delivered,
      settled: String(settled()),
      deposited: bought.deposited,
      token: {
        buyerBefore: String(before.buyer),
        buyerAfter: String(after.buyer),
        payeeBefore: String(before.payee),
        payeeAfter: String(after.payee),
      },
    },
    gas: await gasByAction(chain.rpc, blocksBefore),
    eavesdropper: theft,
    stages: story.stages(),
    oneKey: audit.sample && `${audit.sample.stream}/${audit.sample.number}`,
    codes: { buyer: bought.code, device: deviceCode, operator: operatorCode },
  }
}

/** Eavesdropper and operator at once; the device as soon as nothing that it says can be missed. */
async function openForBusiness({ setting, story, cast }: Parts, auditor: Auditor) {
  const { broker, world } = setting
  let settled = 0n
  const thief = cast.script({ name: 'eavesdropper', args: [eavesdropping, '--broker', broker.url] })
  const operator = cast.wayside({
    name: 'operator',
    args: ['operate', '--config', world.files.operate, '--json'],
    hear(said) {
      tellOperator(story, said)
      if (said.event === 'settled') settled += BigInt(String(said.amount))
    },
  })
  const ready = operator
    .heard((said) => said.event === 'ready', 'it was ready')
    .then(() => {
      story.say(`wayside operate: the desk of ${world.operator}`, 'runtime/commands/operate.ts')
    })
  ready.catch(() => {})
  await auditor.ready()
  await thief.heard((said) => said.ready === true, 'it listened')
  story.say('an eavesdropper hears everything and pays nothing', 'demo/eavesdropper.ts')
  const device = cast.wayside({
    name: 'device',
    args: ['run', world.files.device],
    hear: (said) => tellDevice(story, said),
  })
  await device.heard((said) => said.event === 'running', 'it ran')
  story.say(`wayside run: device ${world.device}`, 'runtime/device.ts')
  story.tell('serial')
  await ready
  return { thief, operator, device, settled: () => settled }
}

async function buy({ setting, story, cast }: Parts, stops: Stops) {
  const { chain, broker, world } = setting
  const epochs = new Set<string>()
  const summaryFile = `${world.folder}/bought.json`
  const streams = Object.keys(prices)
  story.say(`wayside buy: ${streams.join(', ')}, within a budget`, 'runtime/commands/buy.ts')
  const buyer = cast.wayside({
    name: 'buyer',
    args: [
      ...['buy', '--broker', broker.url, '--operator', world.operator],
      ...streams.flatMap((name) => ['--stream', name]),
      ...['--key', world.files.buyerKey, '--folder', world.files.buyerFolder],
      ...['--rpc', chain.rpc, '--budget', '1.00', '--json', summaryFile],
    ],
    hear: (said) => tellBuyer(story, epochs, said),
  })
  await buyer.heard((said) => said.epoch !== undefined, 'it read anything')
  const sessions = sessionsOf(world.files.buyerFolder)
  stops.selling()
  await Promise.race([aborted(stops.enough), buyer.ended])
  // As Ctrl-C does: it buys nothing more, waits for what is paid, and ends its sessions.
  const code = await buyer.stop()
  const { money } = JSON.parse(await readFile(summaryFile, 'utf8')) as {
    readonly money: { readonly promised: string; readonly deposited: string }
  }
  return { code, epochs, sessions, ...money }
}

function bytesPlayed({ sensors, meter }: Setting): number {
  return Object.values(sensors.stats()).reduce((sum, { bytes }) => sum + bytes, meter.bytes())
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
  await thief.stop()
  const tried = bare.tried as { readonly keys: number; readonly guesses: number }
  return {
    seen: Number(bare.seen),
    opened: (bare.opened as readonly string[]).length,
    keysTried: tried.keys,
    guesses: tried.guesses,
    withOneKey: (helped?.opened as readonly string[] | undefined) ?? [],
  }
}
