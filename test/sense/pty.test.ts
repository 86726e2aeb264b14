/** The real serial port on pseudo-terminals: what a mock cannot tell. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLine } from '../../demo/pty.ts'
import { nmeaCapture, plantowerCapture, startSensors } from '../../demo/sensors.ts'
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { plantower } from '../../drivers/plantower.ts'
import { Fault } from '../../runtime/faults.ts'
import type { Driver } from '../../runtime/sense/driver.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { openPort } from '../../runtime/sense/port.ts'
import { supervise } from '../../runtime/sense/supervisor.ts'
import type { Reading } from '../../runtime/wire/reading.ts'
import { lacks, until } from './live.ts'

test('captures played over a pty come out as readings, none of them doubted', async () => {
  const sensors = await startSensors([await plantowerCapture('air'), await nmeaCapture('gps')], {
    speedup: 20,
  })
  const air = hear(plantower, sensors.paths.air)
  const gps = hear(nmea0183, sensors.paths.gps)
  await until(() => air.readings.length >= 5 && gps.readings.length >= 3)
  await Promise.all([air.stop(), gps.stop()])
  const played = sensors.stats()
  await sensors.stop()
  assert.deepEqual(new Set(air.readings.map(({ values }) => values.pm2_5)), new Set([35, 33]))
  assert.equal(gps.readings[1]?.values.time?.toString().slice(0, 17), '2021-03-07T10:29:')
  assert.deepEqual(air.health().doubts, {})
  assert.deepEqual(gps.health().doubts, {})
  assert.equal(played.air?.lost, 0)
  assert.ok((played.air?.bursts ?? 0) >= air.readings.length)
})

test('a sensor that nobody reads loses its bytes, and is heard again when somebody does', async () => {
  const sensors = await startSensors([await plantowerCapture('air')], { speedup: 20 })
  const first = hear(plantower, sensors.paths.air)
  await until(() => first.readings.length >= 2)
  await first.stop()
  const second = hear(plantower, sensors.paths.air)
  await until(() => second.readings.length >= 2)
  await second.stop()
  await sensors.stop()
})

test('a line that nobody reads takes what finds room and lets its process go on', async () => {
  const line = await openLine()
  let taken = 0
  while (taken < 10_000 && line.write(new Uint8Array(100))) taken += 1
  assert.ok(taken > 10 && taken < 10_000, `${taken}`)
  const port = await openPort({ path: line.path, baudRate: 9600 })
  const heard = Promise.withResolvers<Uint8Array>()
  port.onData(heard.resolve)
  // What was unread is dropped at the opening, and there is room again.
  await until(() => line.write(Uint8Array.of(7)))
  assert.equal((await heard.promise).at(-1), 7)
  await port.close()
  await line.close()
  assert.equal(line.write(Uint8Array.of(7)), false)
})

test('a port whose last life still holds the lock is waited for, a moment', async () => {
  const line = await openLine()
  const first = await openPort({ path: line.path, baudRate: 9600 })
  const second = openPort({ path: line.path, baudRate: 9600 })
  await Promise.race([second.catch(() => {}), new Promise((done) => setTimeout(done, 60))])
  await first.close()
  await (await second).close()
  const third = await openPort({ path: line.path, baudRate: 9600 })
  await assert.rejects(openPort({ path: line.path, baudRate: 9600 }), /cannot open the port .*lock/)
  await third.close()
  await line.close()
})

test('a port that is not there is a fault with a cure', async () => {
  await assert.rejects(openPort({ path: '/dev/no-such-port', baudRate: 9600 }), (error) => {
    assert.ok(error instanceof Fault)
    assert.equal(error.code, 'PORT_UNREADABLE')
    return true
  })
})

test('a hang-up is noticed, and the port is opened anew when it is back', {
  skip: lacks('socat'),
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-pty-'))
  const path = join(folder, 'sensor')
  const frame = (await plantowerCapture('air')).bursts[0] as Uint8Array
  let cable = await plugIn(path)
  const air = hear(plantower, path)
  await until(() => air.health().state === 'open')
  cable.stdin.write(frame)
  await until(() => air.readings.length === 1)
  // Only the process that this test started.
  cable.kill('SIGKILL')
  await until(() => air.notes.includes('port lost'))
  await rm(path, { force: true })
  cable = await plugIn(path)
  await until(() => air.health().opened === 2)
  cable.stdin.write(frame)
  await until(() => air.readings.length === 2)
  assert.equal(air.health().doubts['warming up'], undefined)
  await air.stop()
  cable.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

function hear(driver: Driver, path = '') {
  const readings: Reading[] = []
  const notes: string[] = []
  const end = new AbortController()
  const sensor = supervise({
    name: 'test',
    driver,
    options: readOptions(driver),
    path,
    open: openPort,
    clock: {
      boot: '00'.repeat(16),
      monotonicMs: () => Math.round(performance.now()),
      wall: () => undefined,
    },
    moment: (reading) => void readings.push(reading),
    doubt: () => {},
    note: (says) => void notes.push(says),
  })
  const ended = sensor.start(end.signal)
  return {
    readings,
    notes,
    health: sensor.health,
    stop() {
      end.abort()
      return ended
    },
  }
}

/** A pty at this path, and a process that writes to it what it is given. */
async function plugIn(path: string) {
  const cable = spawn('socat', [`pty,raw,echo=0,link=${path}`, 'stdio'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  await once(cable, 'spawn')
  await until(async () => realpath(path).then(Boolean, () => false))
  return cable
}
