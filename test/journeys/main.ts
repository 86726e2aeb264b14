/**
 * `npm run journeys`: every journey on every broker, and one table of how they ended.
 *
 * Each journey has a process of its own, and tells itself on all its brokers at once there.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Flavour, flavours } from './brokers.ts'
import { type Journey, left } from './journey.ts'
import type { Ended } from './play.ts'
import { journeys } from './rows/index.ts'
import { type Cell, openTable, type Row } from './table.ts'

const help = `npm run journeys -- [options]

Tells every journey on every broker and prints a table: green with its seconds, or red with the first
line of what went wrong and a file with the rest. What this machine lacks is left out by name, and is not
green. Exit code: 0 nothing red, 1 something red, 2 usage, 130 at Ctrl-C.

  --only NAME      only journeys whose name has this in it; may be repeated
  --broker NAME    only this broker: ${flavours.join(', ')}; may be repeated
  --long           minutes and hours where the short form takes seconds
  --again          tells what ends red once more, alone; a cell that is green then says that it was red
  --at-once N      journeys at a time (default 3; most of them wait much of the time)
  --json FILE      writes the table there
  --list           names them and says what each is about`

/** Past its patience, and what it takes to end, a process is killed with all that it started. */
const killedAfterS = 60

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    broker: { type: 'string', multiple: true, default: [] },
    long: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '3' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const wanted = journeys.filter(
  ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part)),
)
const columns = flavours.filter((one) => values.broker.length === 0 || values.broker.includes(one))
const atOnce = Number(values['at-once'])
const unknown = values.broker.find((name) => !flavours.some((one) => one === name))

if (values.help) console.log(help)
else if (values.list) for (const { name, says } of wanted) console.log(`${name}: ${says}`)
else if (unknown !== undefined || wanted.length === 0 || !(atOnce >= 1)) {
  console.error(
    unknown === undefined ? 'there is no such journey' : `there is no broker ${unknown}`,
  )
  process.exitCode = 2
} else process.exitCode = await main()

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-journeys-'))
  const logs = join(folder, 'logs')
  const scratch = join(folder, 'scratch')
  await mkdir(logs)
  await mkdir(scratch)
  const running = new Set<ChildProcess>()
  let stopped = false
  process.on('SIGINT', () => {
    // At the second one they are left to see for themselves that we are gone.
    if (stopped) process.exit(130)
    stopped = true
    for (const child of running) child.kill('SIGTERM')
  })
  const table = openTable(columns)
  // What takes long begins first, so that nobody waits for it alone at the end.
  const queue = wanted.toSorted((a, b) => patienceS(b) - patienceS(a))
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined && !stopped; next = queue.shift()) {
      const row = await playAll(next, columns, { logs, scratch, running })
      table.row(values.again && !stopped ? await again(next, row, { logs, scratch, running }) : row)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const sum = table.end()
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(sum, null, 1)}\n`)
  await rm(sum.red > 0 ? scratch : folder, { recursive: true, force: true })
  if (stopped) return 130
  return sum.red > 0 ? 1 : 0
}

function patienceS({ withinS = 120, longWithinS = withinS }: Journey): number {
  return values.long ? longWithinS : withinS
}

type Ground = {
  readonly logs: string
  readonly scratch: string
  readonly running: Set<ChildProcess>
}

/** Tells once more what is red, so that a machine that was busy for a moment is told from a fault. */
async function again(journey: Journey, row: Row, ground: Ground): Promise<Row> {
  const cells = { ...row.cells }
  for (const [name, first] of Object.entries(row.cells)) {
    if (first.state !== 'red') continue
    const on = name as Flavour
    const second = (await playAll(journey, [on], ground)).cells[on]
    if (second?.state === 'green') cells[on] = { ...second, first: first.why }
  }
  return { ...row, cells }
}

/** Tells one journey on every one of these brokers that can have it. */
async function playAll(
  journey: Journey,
  brokers: readonly Flavour[],
  { logs, scratch, running }: Ground,
): Promise<Row> {
  const cells = new Map<Flavour, Cell>()
  for (const on of brokers) {
    const why = left(journey, on)
    if (why !== false) cells.set(on, { state: 'left out', why })
  }
  const told = brokers.filter((on) => !cells.has(on))
  const { name, says } = journey
  if (told.length > 0) {
    const play = fileURLToPath(new URL('play.ts', import.meta.url))
    const args = [play, values.long ? 'long' : 'short', name, logs, ...told]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // A group of its own: Ctrl-C is for us, and what it leaves behind can be ended with it.
      detached: true,
      env: { ...process.env, TMPDIR: scratch, NODE_COMPILE_CACHE: join(scratch, 'compiled') },
    })
    running.add(child)
    child.on('message', (message) => {
      const { broker, seconds, why, log } = message as Ended
      const bad = { state: 'red', seconds, why: why ?? '', log: log ?? '' } as const
      cells.set(broker, why === undefined ? { state: 'green', seconds } : bad)
    })
    const late = setTimeout(() => endGroup(child), (patienceS(journey) + killedAfterS) * 1000)
    const [code, signal] = await once(child, 'close')
    clearTimeout(late)
    running.delete(child)
    endGroup(child)
    for (const on of told) {
      const why = `its process ended with ${signal ?? code}`
      if (!cells.has(on)) cells.set(on, { state: 'red', seconds: 0, why, log: '' })
    }
  }
  return { name, says, cells: Object.fromEntries(cells) }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody of it is left.
  }
}
