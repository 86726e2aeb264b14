/** A device of the street: what `wayside run` composes, with a sensor that numbers its frames. */

import { randomBytes } from '#crypto'
import { plantowerCapture } from '../../demo/sensors.ts'
import { checkConfig } from '../../runtime/commands/config.ts'
import { type Device, openDevice } from '../../runtime/device.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import { systemClock } from '../../runtime/watch/clock.ts'
import type { Health } from '../../runtime/watch/health.ts'
import { openLog } from '../../runtime/watch/log.ts'
import { openMetrics } from '../../runtime/watch/metrics.ts'
import { openWatch } from '../../runtime/watch/watch.ts'
import type { Address } from '../../runtime/wire/address.ts'

export type Stall = {
  readonly device: Address
  /** Opens its books, starts to work, and lets its sensors speak. */
  open(): Promise<void>
  /** Lets the sensors fall silent, then ends in order. */
  stop(): Promise<void>
  /** Epochs and units as its own health document tells them. */
  sale(): Promise<Sale>
  refusals(): Promise<Readonly<Record<string, number>>>
  health(): Promise<Health | undefined>
  /** Lines of its log, from `warn` on. */
  all(): string
  /** The last number that a sensor has said. */
  said(): number
}

export type Sale = {
  readonly promised: bigint
  readonly delivered: bigint
  readonly acknowledged: bigint
  readonly sold: number
}

/** The field that numbers the frames, from 1 and on through every restart. */
export const serial = 'pm2_5'
export const sayEveryMs = 50

/** The numbers in lines of NDJSON. */
export function numbersOf(said: readonly Readonly<Record<string, unknown>>[]): number[] {
  return said.map(({ values }) => Number((values as Record<string, unknown>)[serial]))
}

/** So many numbers, none missing and none twice. */
export function counted(from = 0, count = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}

export async function openStall(folder: string, settings: object): Promise<Stall> {
  const checked = checkConfig(JSON.stringify(settings))
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
  const config = checked.value
  const { device } = await openDeviceKey(folder)
  const [frame] = (await plantowerCapture('air')).bursts
  let life: Life | undefined
  let number = 0
  const logged: string[] = []

  async function begin(): Promise<Life> {
    const note = openLog('device', 'warn', (line) => void logged.push(line))
    const ports = [mockPort(), mockPort()]
    const free = ports.map(({ open }) => open)
    const one = await openDevice({
      config,
      clock: systemClock(true, randomBytes),
      watch: openWatch(note, openMetrics()),
      openPort: (line) => (free.shift() ?? (ports[0] as (typeof ports)[0]).open)(line),
      random: randomBytes,
    })
    const end = new AbortController()
    const ended = one.start(end.signal)
    const timer = setInterval(() => {
      if (ports.some(({ opened }) => opened.count === 0)) return
      number += 1
      for (const port of ports) port.say(numbered(frame as Uint8Array, number))
    }, sayEveryMs)
    return { device: one, timer, end, ended }
  }

  return {
    device,
    async open() {
      life = await begin()
    },
    async stop() {
      const now = life
      life = undefined
      if (now === undefined) return
      clearInterval(now.timer)
      now.end.abort()
      await now.ended
      await now.device.close()
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
    health: async () => life?.device.health(),
    all: () => `# ${device}\n${logged.join('')}`,
    said: () => number,
  }
}

type Life = {
  readonly device: Device
  readonly timer: NodeJS.Timeout
  readonly end: AbortController
  readonly ended: Promise<void>
}

const none = { sale: {} as Record<string, unknown>, totals: { epochs_sold: {}, refusals: {} } }

/** A captured frame with a number in place of its PM2.5, and the checksum that belongs to it. */
function numbered(frame: Uint8Array, number: number): Uint8Array {
  const out = frame.slice()
  const view = new DataView(out.buffer)
  view.setUint16(12, number)
  const sum = out.subarray(0, -2).reduce((total, byte) => total + byte, 0)
  view.setUint16(out.length - 2, sum)
  return out
}
