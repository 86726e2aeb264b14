/** What the tests on real serial ports share: sensors at work, cables that are plugged and pulled. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { drivers } from '../../drivers/index.ts'
import { chooseDriver } from '../../runtime/sense/choose.ts'
import type { Serial } from '../../runtime/sense/driver.ts'
import { type OpenPort, openPort } from '../../runtime/sense/port.ts'
import { superviseAll } from '../../runtime/sense/supervisor.ts'
import type { Reading } from '../../runtime/wire/reading.ts'

export type Wanted = {
  readonly name: string
  readonly driver: string
  readonly path: string
  readonly options?: Readonly<Record<string, unknown>>
  readonly serial?: Partial<Serial>
}

/** Sensors as a device would read them, until `stop`. */
export function hearAll(sensors: readonly Wanted[], open: OpenPort = openPort) {
  const readings: Reading[] = []
  const notes: string[] = []
  const end = new AbortController()
  const lines = superviseAll(
    sensors.map(({ name, driver, path, options, serial = {} }) => ({
      ...{ name, path, open, serial },
      ...chooseDriver(drivers, driver, options),
      clock: {
        boot: '00'.repeat(16),
        monotonicMs: () => Math.round(performance.now()),
        wall: () => undefined,
      },
      moment: (reading: Reading) => void readings.push(reading),
      doubt: () => {},
      note: (says: string) => void notes.push(says),
    })),
  )
  const ended = lines.map((line) => line.start(end.signal))
  return {
    readings,
    notes,
    of: (name: string) => readings.filter(({ stream }) => stream === name),
    health: (name: string) =>
      lines.flatMap((line) => line.health()).find((one) => one.name === name),
    async stop() {
      end.abort()
      await Promise.all(ended)
    },
  }
}

/** Two ptys joined by a process: what is written to one path is read from the other. */
export async function cable(from: string, to: string): Promise<ChildProcess> {
  const ends = [from, to].map((path) => `pty,raw,echo=0,link=${path}`)
  const process = spawn('socat', ends, { stdio: 'ignore' })
  await once(process, 'spawn')
  for (const path of [from, to]) await until(() => realpath(path).then(Boolean, () => false))
  return process
}

export async function until(holds: () => boolean | Promise<boolean>) {
  const endMs = performance.now() + 60_000
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, 'waited for a minute')
    await sleep(20)
  }
}

/** False where these programs are there; where not, the words to skip with. */
export function lacks(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => {
    try {
      execFileSync('which', [program], { stdio: 'ignore' })
      return false
    } catch {
      return true
    }
  })
  return missing.length > 0 && `not installed: ${missing.join(', ')}`
}
