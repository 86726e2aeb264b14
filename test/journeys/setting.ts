/** The stage of the journeys: real processes, a real chain where the machine has one, a quick cadence. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonical } from '../../contracts/artifacts.ts'
import { startBroker } from '../../demo/broker.ts'
import { chainAvailable, type DevChain, startChain } from '../../demo/chain.ts'
import { type Ends, openEnds } from '../../demo/ends.ts'
import { plantowerCapture, type SensorCapture, startSensors } from '../../demo/sensors.ts'
import { makeWorld, type World, type WorldParts } from '../../demo/world.ts'
import { atomicWrite } from '../../runtime/disk/write.ts'
import { type Gate, startGate } from './gate.ts'

export type Stage = {
  readonly world: World
  /** Absent where this machine can have none: then nothing is sold. */
  readonly chain?: DevChain
  readonly brokerUrl: string
  /** The device's own line to it. */
  readonly gate: Gate
  readonly end: Ends
}

/** The field that numbers the frames of each sensor from 1. */
export const serial = 'pm1'
export const epochMs = 700
export const purse = 10_000_000n

/** The streams: two that are sold, quick and slow, and one that is free. */
export const sold = ['air', 'hall'] as const
const everyMs = { air: 70, hall: 400, position: 110 } as const

/** Sets it up; `end.run()` takes it down. */
export async function setStage({ money = chainAvailable() } = {}): Promise<Stage> {
  const end = openEnds()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'wayside-journey-'))
    end.add(() => rm(folder, { recursive: true, force: true }))
    const chain = money ? await startChain() : undefined
    if (chain !== undefined) end.add(chain.stop)
    const broker = await startBroker()
    end.add(broker.stop)
    const gate = await startGate(broker.url)
    end.add(gate.stop)
    const sensors = await startSensors(await captures())
    end.add(sensors.stop)
    const world = await makeWorld({
      folder,
      chain: chain ?? noChain,
      broker: broker.url,
      ports: sensors.paths,
    })
    await quicken(world.files.device, gate.url)
    if (chain !== undefined) {
      await chain.mint(world.buyer, purse)
      for (const who of [world.buyer, world.gateway]) await chain.fund(who, 10n ** 18n)
    }
    const stage = { world, brokerUrl: broker.url, gate, end }
    return chain === undefined ? stage : { ...stage, chain }
  } catch (cause) {
    await end.run()
    throw cause
  }
}

/** A device may name a chain that nobody runs: it never asks one. */
const noChain: WorldParts['chain'] = {
  rpc: 'http://127.0.0.1:9',
  chainId: 31_337,
  ...canonical,
  token: `0x${'d0'.repeat(20)}`,
  tokenName: 'None',
  tokenVersion: '1',
}

/** Short epochs, small commits, and every sensor of the one family that numbers frames. */
async function quicken(file: string, broker: string): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8'))
  const [air] = config.sensors
  const free = config.sensors.find(({ name }: { name: string }) => name === 'position')
  Object.assign(free, { driver: air.driver, options: air.options })
  Object.assign(config, {
    broker: { url: broker },
    // Only those that a port is played for.
    sensors: config.sensors.filter(({ port }: { port?: string }) => port !== undefined),
    models: [],
    epoch: { age: `${epochMs}ms` },
    commit: { delay: '200ms' },
    watch: { port: 0, log: 'debug' },
  })
  await atomicWrite(file, JSON.stringify(config))
}

async function captures(): Promise<SensorCapture[]> {
  const [frame] = (await plantowerCapture('air')).bursts
  if (frame === undefined) throw new Error('the capture has no frame')
  const bursts = Array.from({ length: 60_000 }, (_, i) => numbered(frame, i + 1))
  return Object.entries(everyMs).map(([name, periodMs]) => ({
    name,
    bursts,
    baudRate: 9600,
    periodMs,
  }))
}

/** A captured frame with a number in place of its PM1, and the checksum that belongs to it. */
function numbered(frame: Uint8Array, number: number): Uint8Array {
  const out = frame.slice()
  const view = new DataView(out.buffer)
  view.setUint16(10, number)
  const sum = out.subarray(0, -2).reduce((total, byte) => total + byte, 0)
  view.setUint16(out.length - 2, sum)
  return out
}
