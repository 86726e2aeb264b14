/** A device of the street: what `wayside run` composes, with a sensor that numbers its frames. */

import { randomBytes } from '#crypto'
import { plantowerCapture } from '../../demo/sensors.ts'
import { checkConfig } from '../../runtime/commands/config.ts'
import { type Device, openDevice } from '../../runtime/device.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import type { OpenPort } from '../../runtime/sense/port.ts'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import { systemClock } from '../../runtime/watch/clock.ts'
import type { Health } from '../../runtime/watch/health.ts'
import { openLog } from '../../runtime/watch/log.ts'
import { openMetrics } from '../../runtime/watch/metrics.ts'
import { openWatch } from '../../runtime/watch/watch.ts'
import type { Address } from '../../runtime/wire/address.ts'
import type { Clock } from '../../runtime/wire/clock.ts'

export type Stall = {
  readonly device: Address
  /** Where its keys and books are, and its config as a person would write it. */
  readonly folder: string
  readonly settings: object
  /** Opens its books, starts to work, and lets its sensors speak. */
  open(): Promise<void>
  /** Lets the sensors fall silent, then ends in order. */
  stop(): Promise<void>
  /** The cables of its sensors are pulled: what they would say is not said; and put back. */
  unplug(): void
  plug(): void
  /** The wall clock is unset from now on, or so far ahead of this machine's, ms. */
  setWall(to: 'unset' | number): void
  /** Epochs and units as its own health document tells them. */
  sale(): Promise<Sale>
  refusals(): Promise<Readonly<Record<string, number>>>
  health(): Promise<Health | undefined>
  /** How its life ends, if it ends before it is told to. */
  died(): unknown
  /** Lines of its log, from `warn` on. */
  all(): string
  /** The last number that its sensor has said while somebody listened. */
  said(stream: string): number
}

export type Sale = {
  readonly promised: bigint
  readonly delivered: bigint
  readonly acknowledged: bigint
  readonly sold: number
}

/** The field that numbers the frames, from 1 and on through every restart. */
export const serial = 'pm2_5'

/** The numbers in lines of NDJSON. */
export function numbersOf(said: readonly Readonly<Record<string, unknown>>[]): number[] {
  return said.map(({ values }) => Number((values as Record<string, unknown>)[serial]))
}

/** So many numbers, none missing and none twice. */
export function counted(from = 0, count = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}

/** `sayEveryMs` is the pace of its sensors; a frame's number has 16 bits. */
export async function openStall(
  folder: string,
  settings: object,
  { sayEveryMs = 50 }: { readonly sayEveryMs?: number } = {},
): Promise<Stall> {
  const checked = checkConfig(JSON.stringify(settings))
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
  const config = checked.value
  const { device } = await openDeviceKey(folder)
  const [frame] = (await plantowerCapture('air')).bursts
  let life: Life | undefined
  const logged: string[] = []
  const machine = systemClock(true, randomBytes)
  let wall: 'unset' | number = 0
  let death: unknown
  const sensors = config.sensors.map(({ name, port }) => ({ name, path: port, ...openSensor() }))

  async function begin(): Promise<Life> {
    const note = openLog('device', 'warn', (line) => void logged.push(line))
    const one = await openDevice({
      config,
      clock: { ...machine, wall: () => wallOf(machine.wall(), wall) },
      watch: openWatch(note, openMetrics()),
      openPort: (line) => {
        const sensor = sensors.find(({ path }) => path === line.path)
        if (sensor === undefined) throw new Error(`no sensor at ${line.path}`)
        return sensor.open(line)
      },
      random: randomBytes,
    })
    const end = new AbortController()
    const ended = one.start(end.signal)
    ended.catch((cause) => {
      death = cause
    })
    const timer = setInterval(() => {
      for (const { say } of sensors) say(frame as Uint8Array)
    }, sayEveryMs)
    return { device: one, timer, end, ended }
  }

  return {
    ...{ device, folder, settings },
    async open() {
      life = await begin()
    },
    unplug() {
      for (const { port } of sensors) {
        port.refuse('no such device')
        port.hangUp('unplugged')
      }
    },
    plug() {
      for (const { port } of sensors) port.refuse(undefined)
    },
    setWall(to) {
      wall = to
    },
    async stop() {
      const now = life
      life = undefined
      if (now === undefined) return
      clearInterval(now.timer)
      now.end.abort()
      await now.ended.finally(now.device.close)
    },
    async sale() {
      const { sale, totals } = (await life?.device.health()) ?? none
      const sum = Object.values(totals.epochs_sold).reduce((all, count) => all + count, 0)
      const units = (name: string) => BigInt(String(sale[name] ?? 0))
      const [promised, delivered, acknowledged] = ['promised', 'delivered', 'acknowledged'].map(
        units,
      )
      return { promised, delivered, acknowledged, sold: sum } as Sale
    },
    refusals: async () => ((await life?.device.health()) ?? none).totals.refusals,
    died: () => death,
    health: async () => life?.device.health(),
    all: () => `# ${device}\n${logged.join('')}`,
    said: (stream) => sensors.find(({ name }) => name === stream)?.said() ?? 0,
  }
}

/** A sensor that numbers what it says, and says nothing while nobody listens. */
function openSensor() {
  const port = mockPort()
  let number = 0
  let heard = false
  return {
    port,
    said: () => number,
    async open(line: Parameters<OpenPort>[0]) {
      const opened = await port.open(line)
      void opened.closed.then(() => {
        heard = false
      })
      return {
        ...opened,
        onData(listener: (chunk: Uint8Array) => void) {
          opened.onData(listener)
          heard = true
        },
      }
    },
    say(frame: Uint8Array) {
      if (!heard) return
      number += 1
      port.say(numbered(frame, number))
    },
  }
}

function wallOf(machine: ReturnType<Clock['wall']>, to: 'unset' | number) {
  return to === 'unset' || machine === undefined ? undefined : { ...machine, ms: machine.ms + to }
}

type Life = {
  readonly device: Device
  readonly timer: NodeJS.Timeout
  readonly end: AbortController
  readonly ended: Promise<void>
}

const none = { sale: {} as Record<string, unknown>, totals: { epochs_sold: {}, refusals: {} } }

/** A captured frame with a number in place of its PM2.5, and the checksum that belongs to it. */
export function numbered(frame: Uint8Array, number: number): Uint8Array {
  const out = frame.slice()
  const view = new DataView(out.buffer)
  view.setUint16(12, number)
  const sum = out.subarray(0, -2).reduce((total, byte) => total + byte, 0)
  view.setUint16(out.length - 2, sum)
  return out
}
