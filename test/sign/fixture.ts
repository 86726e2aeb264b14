/** What the tests of signing share: a device with a folder of its own, and readings for it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '#crypto'
import { type EpochMakerOptions, epochMaker } from '../../runtime/sign/epoch.ts'
import { type DeviceKey, openDeviceKey } from '../../runtime/sign/key.ts'
import type { Batch, SealedNote, SignStore, StreamPlan } from '../../runtime/sign/plan.ts'
import { openStore, type Store } from '../../runtime/store/client.ts'
import { type Generations, openGenerations } from '../../runtime/stream/generations.ts'
import type { Clock } from '../../runtime/wire/clock.ts'
import { decodeMessage, type Message, openEpoch } from '../../runtime/wire/epoch.ts'
import type { Reading } from '../../runtime/wire/reading.ts'

export const boot = '00112233445566778899aabbccddeeff'

/** A clock that tells the process's own time; its wall can be set. */
export function testClock(bootId = boot): Clock & { quality: 'unset' | 'rtc' | 'synced' } {
  return {
    quality: 'unset',
    boot: bootId,
    monotonicMs: () => Math.floor(performance.now()),
    wall() {
      return this.quality === 'unset'
        ? undefined
        : { ms: Math.floor(performance.timeOrigin + performance.now()), quality: this.quality }
    },
  }
}

export function plan(name = 'air', more: Partial<StreamPlan> = {}): StreamPlan {
  const terms = new Uint8Array(32).fill(7)
  const setup = new Uint8Array(32).fill(8)
  const size = { epochMs: 10_000, countMax: 4096, bytesMax: 65_536 }
  return { name, terms, setup, ...size, free: false, ...more }
}

export function readingAt(clock: Clock, pm: number, stream = 'air'): Reading {
  const wall = clock.wall()
  return {
    stream,
    boot: clock.boot,
    monotonicMs: clock.monotonicMs(),
    ...(wall === undefined ? {} : { wallMs: wall.ms }),
    values: { pm2_5: pm },
    units: { pm2_5: 'ug/m3' },
  }
}

export type Device = {
  readonly folder: string
  readonly key: DeviceKey
  readonly generations: Generations
  readonly store: Store
  readonly clock: ReturnType<typeof testClock>
  /** Every epoch of a stream, read from the store and opened with the device's own keys. */
  epochs(stream: string): Promise<{ message: Message; readings: readonly Reading[] }[]>
}

export async function openDevice(folder: string): Promise<Device> {
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(folder, { random: randomBytes })
  const store = await openStore({ path: join(folder, 'store.db') })
  const clock = testClock()
  return {
    folder,
    key,
    generations,
    store,
    clock,
    async epochs(stream) {
      const rows = (await store.headersSince(0, 100_000)).filter((row) => row.stream === stream)
      const found = []
      for (const { generation, number } of rows) {
        const bytes = await store.epochMessage(stream, generation, number)
        if (bytes === undefined) throw new Error('a header without a message')
        const message = decodeMessage(bytes)
        const sealed = message.header.kind === 'readings' || message.header.kind === 'interrupted'
        const leaf = generations.leafKey(stream, generation, number)
        found.push({ message, readings: sealed ? openEpoch(message, leaf).readings : [] })
      }
      return found
    },
  }
}

export async function withDevice(work: (device: Device) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-sign-'))
  const device = await openDevice(folder)
  try {
    await work(device)
  } finally {
    await device.store.close().catch(() => {})
    await rm(folder, { recursive: true })
  }
}

type MakerGround = Pick<Device, 'key' | 'generations'> & {
  readonly clock: Clock
  readonly store: SignStore
}
type MakerOptions = Partial<EpochMakerOptions> & Pick<EpochMakerOptions, 'streams'>

/** An epoch maker of the product's own, over these. */
export function makerOf(device: MakerGround, options: MakerOptions) {
  const { key, clock, generations, store } = device
  return epochMaker({
    key,
    clock,
    generation: generations.current,
    keys: generations.leafKey,
    store,
    random: randomBytes,
    ...options,
  })
}

/** Runs a maker while `work` feeds it, ends it, and says what was told outside. */
export async function run(
  device: Device,
  options: Parameters<typeof makerOf>[1],
  work: (maker: ReturnType<typeof makerOf>) => Promise<void>,
) {
  const acknowledged: { stream: string; count: number }[] = []
  const sealed: SealedNote[] = []
  const batches: Batch[] = []
  const store = {
    recover: device.store.recover,
    commit: (batch: Batch) => {
      batches.push(batch)
      return device.store.commit(batch)
    },
  }
  const stop = new AbortController()
  const maker = makerOf(device, {
    store,
    acknowledged: (gain) => acknowledged.push(gain),
    sealed: (note) => sealed.push(note),
    ...options,
  })
  const done = maker.start(stop.signal)
  await work(maker)
  stop.abort()
  await done
  return { acknowledged, sealed, batches }
}

/** Waits until it holds; a machine that is busy is given its time. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it never came to be')
    await sleep(10)
  }
}
