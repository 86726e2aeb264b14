/**
 * Event-loop delay of the main thread while every commit takes 300 ms, as a card may: the thread that
 * stamps times must not feel it. The control is the same loop with no store at all.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '#crypto'
import { openDeviceKey } from '../runtime/sign/key.ts'
import { openStore } from '../runtime/store/client.ts'
import { openGenerations } from '../runtime/stream/generations.ts'
import type { Clock } from '../runtime/wire/clock.ts'
import { makerOf } from '../test/sign/fixture.ts'
import type { Figure } from './figure.ts'

const holdMs = 300
const runMs = 4_000
const resolutionMs = 1

export async function bench(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-stall-'))
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(folder, { random: randomBytes })
  const store = await openStore({ path: join(folder, 'store.db'), commitHoldMs: holdMs })
  let commits = 0
  const parts = { key, clock, generations, store }
  const maker = makerOf(parts, {
    streams: [{ name: 'air', terms: hash, setup: hash, ...size, free: false }],
    limits: { commitDelayMs: 50 },
    note: () => {
      commits += 1
    },
  })
  const stop = new AbortController()
  const done = maker.start(stop.signal)
  await sleep(1_000)

  const idle = await delays(() => true)
  const busy = await delays(() => maker.take(reading()))
  const during = commits
  stop.abort()
  await done
  await store.close()
  await rm(folder, { recursive: true })

  const figure = (name: string, value: number, goal: string): Figure => ({
    name,
    value,
    unit: 'ms',
    goal,
  })
  return [
    figure('event-loop delay with a 300 ms fsync, p99', busy.p99, 'as the control'),
    figure('event-loop delay with a 300 ms fsync, longest', busy.longest, 'far below 300'),
    figure('control without a store, p99', idle.p99, 'as measured'),
    figure('control without a store, longest', idle.longest, 'as measured'),
    { name: 'commits of 300 ms meanwhile', value: during, unit: 'commits', goal: 'more than 10' },
  ]
}

/** The loop's delay over `runMs` while `take` is called a hundred times a second. */
async function delays(take: () => boolean): Promise<{ p99: number; longest: number }> {
  const monitor = monitorEventLoopDelay({ resolution: resolutionMs })
  const end = performance.now() + runMs
  monitor.enable()
  while (performance.now() < end) {
    take()
    await sleep(10)
  }
  monitor.disable()
  const inMs = (ns: number) => Math.max(0, ns / 1e6 - resolutionMs)
  return { p99: inMs(monitor.percentile(99)), longest: inMs(monitor.max) }
}

function reading() {
  const monotonicMs = clock.monotonicMs()
  const values = { pm2_5: monotonicMs % 50 }
  return { stream: 'air', boot: clock.boot, monotonicMs, values, units: {} }
}

const hash = new Uint8Array(32)
const size = { epochMs: 10_000, countMax: 4096, bytesMax: 65_536 }
const clock: Clock = {
  boot: '00112233445566778899aabbccddeeff',
  monotonicMs: () => Math.floor(performance.now()),
  wall: () => undefined,
}
