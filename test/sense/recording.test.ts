import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { plantowerCapture, startSensors } from '../../demo/sensors.ts'
import { Fault } from '../../runtime/faults.ts'
import { openPortOrRecording, play } from '../../runtime/sense/playback.ts'
import {
  loadRecording,
  type Recorded,
  readRecording,
  recordingHead,
  recordingLine,
} from '../../runtime/sense/recording.ts'

test('a recording is read back as it was written, and any other text is refused by its line', () => {
  const chunk = fc.record({
    ms: fc.nat(100_000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    asked: fc.option(fc.constant(true as const), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(chunk, { minLength: 1 }), (found) => {
      const rows = found
        .toSorted((a, b) => a.ms - b.ms)
        .map(({ ms, bytes, asked }) => ({ ms, bytes, ...(asked && { asked }) }))
      const text = recordingHead('/dev/x', 9600) + rows.map(recordingLine).join('')
      const read = readRecording(text)
      assert.ok(typeof read !== 'string')
      const plain = ({ ms, bytes, asked }: Recorded) => [ms, [...bytes], asked]
      assert.deepEqual(read.map(plain), rows.map(plain))
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => typeof readRecording(text) === 'string'))
  const head = recordingHead('/dev/x', 9600)
  for (const [text, why] of [
    ['', /line 1/],
    [head, /nothing was recorded/],
    [`${head}{"ms":5,"hex":"0"}`, /line 2/],
    [`${head}{"ms":5,"hex":"00"}\n{"ms":4,"hex":"00"}`, /line 3/],
    [`${head}{"ms":"5","hex":"00"}`, /line 2 has no `ms`/],
    [`${head}{"ms":-1,"hex":"00"}`, /line 2 has no `ms` from 0/],
    [`${head}{"ms":1e300,"asked":"00"}`, /line 2 has no `ms` from 0 to 2147483647/],
    [
      `${head}{"ms":5,"asked":"00"}\n{"ms":4.5,"hex":"00"}`,
      /line 3 goes back in time: 4.5 ms after 5/,
    ],
    [`${head}{"ms":5,"asked":"00","hex":"00"}`, /line 2 is neither/],
    [`${head}{"ms":5,"hex":"00","__proto__":{"asked":true}}`, /line 2 is neither/],
    [`${head}{"ms":5,"hex":""}`, /line 2 is neither/],
    [`${head}\n{"ms":5,"hex":"00"}`, /line 2 is neither/],
    [`${head}[5,"00"]`, /line 2 is neither/],
    [`${head}{"ms":5,"hex":"00"}\n{"ms":6,"he`, /line 3 is neither/],
  ] as const) {
    assert.match(String(readRecording(text)), why)
  }
})

test('a recording is played at the pace at which it came, over and over, until it is closed', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const port = play([
    { ms: 10, bytes: Uint8Array.of(1) },
    { ms: 30, bytes: Uint8Array.of(2) },
  ])
  const heard: [number, number | undefined][] = []
  let nowMs = 0
  port.onData(([byte]) => heard.push([nowMs, byte]))
  const pass = (ms: number) => {
    for (let i = 0; i < ms; i += 1) {
      nowMs += 1
      mock.timers.tick(1)
    }
  }
  pass(65)
  await port.write(Uint8Array.of(9))
  assert.deepEqual(heard, [
    [10, 1],
    [30, 2],
    [50, 1],
  ])
  await port.close()
  assert.equal(await port.closed, undefined)
  pass(2_000)
  assert.equal(heard.length, 3)
  const once = play([{ ms: 10, bytes: Uint8Array.of(7) }])
  const from = nowMs
  once.onData(([byte]) => heard.push([nowMs - from, byte]))
  pass(1_100)
  assert.deepEqual(heard.slice(3), [
    [10, 7],
    [1_010, 7],
  ])
  await once.close()
  mock.timers.reset()
})

test('what record writes down of a line can stand in for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-recording-'))
  const sensors = await startSensors([await plantowerCapture('air')], { speedup: 20 })
  const main = fileURLToPath(new URL('../../runtime/main.ts', import.meta.url))
  const recorder = spawn(process.execPath, [main, 'record', sensors.paths.air ?? ''])
  let text = ''
  recorder.stdout.on('data', (chunk) => {
    text += chunk
    // As Ctrl-C does, once enough is written.
    if (text.length > 1_000) recorder.kill('SIGINT')
  })
  const [code] = await once(recorder, 'close')
  await sensors.stop()
  assert.equal(code, 0)
  const file = join(folder, 'air.recording')
  await writeFile(file, text)
  const port = await openPortOrRecording({ path: `recording:${file}`, baudRate: 9600 })
  const bytes: number[] = []
  await new Promise<void>((done) => {
    port.onData((chunk) => {
      bytes.push(...chunk)
      if (bytes.length > 64) done()
    })
  })
  await port.close()
  assert.ok(Buffer.from(bytes).includes(Buffer.from('424d', 'hex')))
  await rm(folder, { recursive: true })
})

test('what is no file, or too large to hold, is not even read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-recording-'))
  const large = join(folder, 'large.recording')
  await writeFile(large, '')
  // Holes cost no disk.
  await truncate(large, 33 * 1024 * 1024)
  assert.match(String(loadRecording(large)), /larger than 33554432 bytes/)
  assert.equal(loadRecording(folder), 'it is no file')
  assert.equal(loadRecording('/dev/zero'), 'it is no file')
  assert.match(String(loadRecording(join(folder, 'none'))), /ENOENT/)
  await rm(folder, { recursive: true })
})

test('a recording that is not there, or is none, is a fault of the port', async () => {
  for (const path of ['recording:/no/such/file', `recording:${fileURLToPath(import.meta.url)}`]) {
    await assert.rejects(openPortOrRecording({ path, baudRate: 9600 }), (error) => {
      assert.ok(error instanceof Fault)
      return error.code === 'PORT_UNREADABLE' && error.message.includes(path)
    })
  }
})
