/**
 * The newcomer's first minute: `npm run demo`.
 *
 * Starts what production has, on embedded defaults: a chain with the contracts, a broker, a line for each
 * sensor carrying real captures, and then the product's own commands: `wayside operate`, `wayside run`,
 * `wayside buy`. Beside them sits an eavesdropper that hears everything and pays nothing. It exits 0 only
 * if the books balance; `npm run demo -- --help` says what else it takes.
 */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atomicWrite } from '../runtime/disk/write.ts'
import { openCast } from './cast.ts'
import { Ending } from './ending.ts'
import { openEnds } from './ends.ts'
import { heedSignals } from './leave.ts'
import { type Options, readOptions, usage } from './options.ts'
import { afterStopS, buyForMs, tooLongMs } from './pace.ts'
import { balance, type Facts } from './report.ts'
import { playSale } from './sale.ts'
import { openScreen } from './screen.ts'
import { setStage } from './setting.ts'
import { openStory } from './story.ts'
import { printTable } from './table.ts'

const nowS = () => performance.now() / 1000
const screen = openScreen(process.stdout)
const story = openStory(nowS, screen)
const end = openEnds()

// Whatever ends us, be it a bug: nothing stays behind.
process.on('exit', end.runAtOnce)
process.exitCode = await main()

async function main(): Promise<number> {
  const leave = heedSignals((text) => story.say(text))
  // Nobody listens any more: an end like Ctrl-C.
  process.stdout.on('error', leave.now)
  try {
    const options = readOptions(process.argv.slice(2))
    if (options.help) {
      console.log(usage)
      return 0
    }
    return await demo(options, leave)
  } catch (error) {
    const left = leave.code()
    if (left !== undefined) return left
    screen.status('')
    console.error(`demo: ${(error as Error).message}`)
    return error instanceof Ending ? error.exit : 1
  } finally {
    await end.run()
    leave.forget()
  }
}

async function demo(options: Options, leave: ReturnType<typeof heedSignals>): Promise<number> {
  const facts = await Promise.race([work(options, leave), leave.hurried])
  screen.status('')
  await end.run()
  const report = balance({ ...facts, seconds: Math.round(nowS() * 10) / 10 })
  if (options.json !== undefined) {
    await atomicWrite(options.json, `${JSON.stringify(report, null, 2)}\n`)
  }
  printTable(report, screen)
  console.log('Your own sensors next:\n  npx wayside init')
  return report.ok ? 0 : 1
}

async function work(
  { keep, rpc }: Options,
  leave: ReturnType<typeof heedSignals>,
): Promise<Omit<Facts, 'seconds'>> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-demo-'))
  const rest = { recursive: true, force: true, maxRetries: 5 }
  await end.add(
    () => rm(folder, rest),
    () => rmSync(folder, rest),
  )
  if (!keep) leave.after(tooLongMs)
  const setting = await setStage({ folder, story, end, ...(rpc === undefined ? {} : { rpc }) })
  const cast = await openCast(end, folder)
  return playSale(
    { setting, story, end, cast },
    {
      selling() {
        if (keep) leave.inOrder()
        else leave.enoughAfter(buyForMs(nowS() * 1000))
      },
      enough: leave.enough,
      afterStopS,
    },
  )
}
