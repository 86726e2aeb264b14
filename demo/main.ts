/**
 * The newcomer's first minute: `npm run demo`.
 *
 * Starts what production has, on embedded defaults: a chain with the contracts, a broker, a line for each
 * sensor carrying real captures, and then the product's own commands: `wayside operate`, `wayside run`,
 * `wayside buy`. Beside them sits an eavesdropper that hears everything and pays nothing. It exits 0 only
 * if the books balance.
 *
 *   npm run demo -- --json FILE    writes what was counted
 *   npm run demo -- --keep         runs until Ctrl-C, then settles and counts
 *   npm run demo -- --rpc URL      takes a development chain (anvil) that runs elsewhere
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { atomicWrite } from '../runtime/disk/write.ts'
import { type Ends, openEnds } from './ends.ts'
import { balance, tableOf } from './report.ts'
import { playSale, type Stops } from './sale.ts'
import { setStage } from './setting.ts'
import { openStory } from './story.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
    rpc: { type: 'string' },
  },
})

const startedMs = performance.now()
const nowS = () => (performance.now() - startedMs) / 1000
const story = openStory(nowS, (line) => console.log(line))
const ends = openEnds()

/** When the buyer stops, and how long the device goes on without it: so that all is over in a minute. */
const buyUntilS = 36
const buyAtLeastS = 12
const afterStopS = 6

process.exitCode = await main(ends)

async function main(end: Ends): Promise<number> {
  const hurry = new AbortController()
  const enough = new AbortController()
  const interrupted = () => {
    if (values.keep && !enough.signal.aborted) {
      story.say('stopping: the buyer ends, then everything is settled (Ctrl-C again: at once)')
      enough.abort()
    } else hurry.abort(new Error('interrupted'))
  }
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', interrupted)
  try {
    const folder = await mkdtemp(join(tmpdir(), 'wayside-demo-'))
    end.add(() => rm(folder, { recursive: true, force: true }))
    const stops: Stops = {
      hurry: hurry.signal,
      ...(values.keep
        ? { enough: enough.signal }
        : { buyForS: () => Math.max(buyAtLeastS, Math.round(buyUntilS - nowS())) }),
      afterStopS,
    }
    const setting = await setStage({ folder, story, end, ...rpcOf(values.rpc) })
    const facts = await untilHurry(playSale(setting, story, end, stops), hurry.signal)
    const report = balance({ ...facts, seconds: Math.round(nowS() * 10) / 10 })
    if (values.json !== undefined) {
      await atomicWrite(values.json, `${JSON.stringify(report, null, 2)}\n`)
    }
    console.log(`\n${tableOf(report)}\n`)
    console.log('Your own sensors next:\n  npx wayside init')
    return report.ok ? 0 : 1
  } catch (error) {
    if (hurry.signal.aborted) return 130
    console.error(`demo: ${(error as Error).message}`)
    return 1
  } finally {
    await end.run()
  }
}

function rpcOf(rpc: string | undefined) {
  return rpc === undefined ? {} : { rpc }
}

/** The work, unless a person wants to leave first. */
async function untilHurry<T>(work: Promise<T>, hurry: AbortSignal): Promise<T> {
  const left = new Promise<never>((_, reject) => {
    hurry.addEventListener('abort', () => reject(hurry.reason), { once: true })
  })
  work.catch(() => {})
  return Promise.race([work, left])
}
