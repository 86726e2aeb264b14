/**
 * What a device weighs and how soon it works: `wayside run` as it is installed (built, not the clone's
 * TypeScript), a process of its own with three sensors on pseudo-terminals, one model and a real broker,
 * against a bare Node that does nothing, in the same run.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../demo/broker.ts'
import { nmeaCapture, plantowerCapture, startSensors } from '../demo/sensors.ts'
import type { Figure } from './figure.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const periodMs = 1000
const starts = 3
/** Ten times as fast as real sensors, so that every path has been walked when memory is read. */
const busy = { speedup: 10, forMs: 20_000 }
const samples = 9

export async function bench(): Promise<Figure[]> {
  const home = await install()
  const broker = await startBroker()
  const at = { bin: join(home, 'bin/wayside.js'), broker: broker.url }
  try {
    const firstMs: number[] = []
    for (let i = 0; i < starts; i += 1) firstMs.push(await firstStoredMs(at))
    const { memory, stored } = await busyMemory(at)
    const bare = await bareMemory()
    const name = 'memory above bare Node, three sensors and one model'
    const sooner = 'process start to first stored reading, beyond the period'
    const goal = 'at most 1500'
    return [
      { name, value: memory.allMiB - bare.allMiB, unit: 'MiB', goal: 'at most 60' },
      {
        name: `${name}, without what is mapped from files`,
        value: memory.ownMiB - bare.ownMiB,
        unit: 'MiB',
        goal: 'the rest the kernel may take back',
      },
      { name: 'memory of bare Node', value: bare.allMiB, unit: 'MiB', goal: 'the baseline' },
      { name: 'readings stored while memory was read', value: stored, unit: '', goal: 'some' },
      { name: sooner, value: median(firstMs) - periodMs, unit: 'ms', goal },
    ]
  } finally {
    await broker.stop()
    await rm(home, { recursive: true })
  }
}

/** Builds the package and lays it out as an installation does: bin and dist, and no source beside them. */
async function install(): Promise<string> {
  await import('../tools/build.ts')
  const home = await mkdtemp(join(tmpdir(), 'wayside-bench-'))
  for (const part of ['bin', 'dist', 'package.json']) {
    await cp(join(root, part), join(home, part), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(home, 'node_modules'))
  return home
}

/** Where the product is installed, and the broker that its devices use. */
type At = { readonly bin: string; readonly broker: string }

type Device = {
  readonly pid: number
  /** The next log line of this event, with when it came, in ms since the process was started. */
  heard(event: string): Promise<{ readonly facts: Record<string, unknown>; readonly atMs: number }>
  stop(): Promise<void>
}

/** Milliseconds from the start of the process to the first reading that a commit holds, as its log tells. */
async function firstStoredMs(at: At): Promise<number> {
  return await withDevice(at, 1, async (device) => (await device.heard('stored')).atMs)
}

async function busyMemory(at: At): Promise<{ memory: Memory; stored: number }> {
  return await withDevice(at, busy.speedup, async (device) => {
    const { facts } = await device.heard('watching')
    await sleep(busy.forMs)
    const memory = await memoryOf(device.pid)
    const metrics = await (await fetch(`${facts.url}/metrics`)).text()
    const rows = [...metrics.matchAll(/^wayside_readings_stored_total\{.*\} (\d+)$/gm)]
    return { memory, stored: rows.reduce((sum, [, count]) => sum + Number(count), 0) }
  })
}

/** A Node that has nothing to do. */
async function bareMemory(): Promise<Memory> {
  const node = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  await once(node, 'spawn')
  await sleep(1000)
  const memory = await memoryOf(node.pid as number)
  node.kill()
  await once(node, 'exit')
  return memory
}

async function withDevice<T>(
  { bin, broker }: At,
  speedup: number,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-bench-'))
  const captures = [await plantowerCapture('air'), await plantowerCapture('hall')]
  const sensors = await startSensors([...captures, await nmeaCapture('position')], { speedup })
  await writeFile(join(folder, 'wayside.yaml'), configText(broker, sensors.paths))
  const device = startDevice(bin, folder)
  try {
    return await work(device)
  } finally {
    await device.stop()
    await sensors.stop()
    await rm(folder, { recursive: true })
  }
}

function startDevice(bin: string, folder: string): Device {
  const startedMs = performance.now()
  const child: ChildProcessByStdio<null, null, Readable> = spawn(process.execPath, [bin, 'run'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stderr })
  const seen: { facts: Record<string, unknown>; atMs: number }[] = []
  const listeners = new Set<() => void>()
  lines.on('line', (line) => {
    seen.push({ facts: factsOf(line), atMs: performance.now() - startedMs })
    for (const listener of listeners) listener()
  })
  return {
    pid: child.pid as number,
    heard: (event) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = seen.find(({ facts }) => facts.event === event)
          if (found === undefined) return
          listeners.delete(look)
          resolve(found)
        }
        listeners.add(look)
        void ended.then(() => {
          const said = seen.map(({ facts }) => JSON.stringify(facts)).join('\n')
          reject(new Error(`the device ended before it said ${event}:\n${said}`))
        })
        look()
      }),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** A log line as its facts; what is no JSON (a fault's sentence) under `event`. */
function factsOf(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line)
  } catch {
    return { event: line }
  }
}

function configText(broker: string, paths: Readonly<Record<string, string>>): string {
  const sensor = (name: string, driver: string) =>
    `  - { name: ${name}, driver: ${driver}, port: ${paths[name]} }\n`
  const owner = `"0x${'1'.repeat(40)}"`
  return `folder: data
broker: { url: "${broker}" }
operator: ${owner}
gateway: ${owner}
receiver: ${owner}
watch: { port: 0, log: debug }
sensors:
${sensor('air', 'plantower')}${sensor('hall', 'plantower')}${sensor('position', 'nmea0183')}models:
  - { name: odd, model: anomaly, input: { stream: air, field: pm2_5 } }
`
}

/** Resident memory: all of it, and what is the process's own and not mapped from files. */
type Memory = { readonly allMiB: number; readonly ownMiB: number }

/** The median of several looks, because memory breathes. */
async function memoryOf(pid: number): Promise<Memory> {
  const looks: Memory[] = []
  for (let i = 0; i < samples; i += 1) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const mib = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
    looks.push({ allMiB: mib('VmRSS'), ownMiB: mib('RssAnon') })
    await sleep(100)
  }
  return {
    allMiB: median(looks.map(({ allMiB }) => allMiB)),
    ownMiB: median(looks.map(({ ownMiB }) => ownMiB)),
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}
