/** The speeds of a dialogue: what is sent at which, in what order, on a mock port and on a real one. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { d0 } from '../../../drivers/d0/index.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { mockPort } from '../../../runtime/sense/mock.ts'
import { readOptions } from '../../../runtime/sense/options.ts'
import { type OpenPort, openPort } from '../../../runtime/sense/port.ts'
import { supervise } from '../../../runtime/sense/supervisor.ts'
import type { Reading } from '../../../runtime/wire/reading.ts'
import { cable, lacks, until } from '../../sense/live.ts'

const question = '/?!\r\n'
const data = '1.8.0(000285.4*kWh)\r\n!\r\n\x03'
const block = `\x02${data}${String.fromCharCode([...data].reduce((sum, c) => sum ^ c.charCodeAt(0), 0))}`

/** A meter of mode C that can do 9600 baud, heard only at the speed at which it speaks. */
const obedient: Meter = (said, rate) => {
  if (said === question && rate === 300) return { at: 300, says: '/ELS5\\@V9.30\r\n' }
  if (said === '\x06050\r\n') return { at: 9600, says: block }
  return undefined
}

test('a meter of mode C is agreed with on its own speed, and each question is asked at the first', async () => {
  await using bench = await start(obedient)
  await bench.pass(130)
  assert.deepEqual(bench.log, [
    ...['300 baud', question, '\x06050\r\n', '9600 baud'],
    ...['300 baud', question, '\x06050\r\n', '9600 baud'],
    ...['300 baud', question, '\x06050\r\n', '9600 baud', '300 baud'],
  ])
  assert.deepEqual(
    bench.readings.map(({ values }) => values),
    Array(3).fill({ '1.8.0': 285.4 }),
  )
  assert.deepEqual(bench.doubts, [])
})

test('the line stays where it is for a meter that names the first speed, a reserved one or none', async () => {
  for (const letter of ['0', '7', '9', '\\', 'G', 'a']) {
    await using bench = await start((said, rate) => {
      const isC = /\d/.test(letter)
      if (said === question) {
        return { at: rate, says: `/LGZ${letter}ZMD\r\n${isC ? '' : block}` }
      }
      return said === '\x06000\r\n' && isC ? { at: 300, says: block } : undefined
    })
    await bench.pass(70)
    assert.deepEqual([...new Set(bench.port.rates)], [300], letter)
    assert.equal(bench.readings.length, 2, letter)
  }
})

test('a meter of mode B is not answered, and heard at the speed to which it changes', async () => {
  for (const [i, letter] of [...'ABCDEF'].entries()) {
    const at = 600 * 2 ** i
    await using bench = await start((said, rate) => {
      if (said !== question || rate !== 300) return undefined
      return { at: 300, says: `/ABB${letter}meter\r\n`, later: { at, says: block } }
    })
    await bench.pass(70)
    const cycle = [question, `${at} baud`, '300 baud']
    assert.deepEqual(bench.log, ['300 baud', ...cycle, ...cycle])
    assert.equal(bench.readings.length, 2)
  }
})

test('a meter faster than the eye stays at the first speed', async () => {
  const stays: Meter = (said) =>
    said === question
      ? { at: 300, says: '/ELS6x\r\n' }
      : { at: said === '\x06000\r\n' ? 300 : 19_200, says: block }
  await using bench = await start(stays, { fastest: '9600' })
  await bench.pass(70)
  assert.deepEqual(bench.port.rates, [300])
  assert.equal(bench.readings.length, 2)
})

test('a meter that does not answer is asked at the first speed, over and over', async () => {
  await using bench = await start(() => undefined)
  await bench.pass(190)
  assert.deepEqual(bench.port.rates, [300])
  assert.deepEqual(bench.log.slice(1), Array(4).fill(question))
  assert.deepEqual([...new Set(bench.doubts)], ['no answer'])
})

test('a meter that sends at the first speed all the same is heard there from the third time on', async () => {
  const deaf: Meter = (said) =>
    said === question ? { at: 300, says: '/ELS5x\r\n' } : { at: 300, says: block }
  await using bench = await start(deaf)
  await bench.pass(600)
  assert.deepEqual(bench.port.rates, [300, 9600, 300, 9600, 300])
  assert.ok(bench.readings.length >= 3)
  assert.deepEqual(bench.doubts, ['no answer', 'no answer'])
  assert.equal(bench.log.filter((said) => said === '\x06050\r\n').length, 2)
})

test('once a block does not come at the first speed either, the meter is taken at its word again', () => {
  const options = readOptions(d0, { mode: 'ask', every: '1min' })
  const work = decoder(d0.under?.(options) ?? d0, options)
  const agreed: string[] = []
  let nowMs = 0
  for (let cycle = 0; cycle < 4; cycle += 1) {
    let sent = ''
    while (!sent.startsWith('\x06')) {
      const turn = work.ask(nowMs)
      sent = Buffer.from(turn?.send ?? []).toString('latin1')
      nowMs += turn?.wakeMs ?? 0
      if (sent === question) {
        nowMs -= turn?.wakeMs ?? 0
        work.push(Buffer.from('/ELS4x\r\n'))
      }
    }
    agreed.push(sent.slice(1, 4))
  }
  assert.deepEqual(agreed, ['040', '040', '000', '040'])
})

test('a port that can not run at a rate is a doubt, and the line goes on', async () => {
  await using bench = await start(obedient, {}, async () => {
    throw new Error('no such rate')
  })
  await bench.pass(130)
  assert.equal(bench.doubts[0], 'port refuses the rate')
  assert.equal(bench.port.opened.count, 1)
  assert.ok(bench.log.filter((said) => said === question).length >= 2)
})

test('a real port changes its rate behind what was sent, and back', {
  skip: lacks('socat'),
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-speed-'))
  const [near, far] = [join(folder, 'eye'), join(folder, 'meter')]
  const wire = await cable(near, far)
  const line = { baudRate: 300, dataBits: 7, parity: 'even' } as const
  const [eye, meter] = [
    await openPort({ path: near, ...line }),
    await openPort({ path: far, ...line }),
  ]
  let heard = ''
  meter.onData((chunk) => {
    heard += Buffer.from(chunk).toString('latin1')
  })
  const fromMs = performance.now()
  await eye.write(Buffer.from('\x06050\r\n'))
  await eye.setRate(9600)
  const tookMs = performance.now() - fromMs
  assert.ok(tookMs >= 200, `6 characters of ten bits at 300 baud had ${tookMs} ms to leave`)
  const back = [eye.setRate(300), eye.write(Buffer.from('a')), eye.setRate(2400)]
  await Promise.all([...back, eye.write(Buffer.from('b'))])
  await until(() => heard === '\x06050\r\nab')
  await Promise.all([eye.close(), meter.close()])
  await assert.rejects(eye.setRate(300))
  wire.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

type Speech = { readonly at: number; readonly says: string; readonly later?: Speech }
type Meter = (said: string, rate: number) => Speech | undefined

/** A meter at a mock port, asked every minute; at another speed than the line's it is noise. */
async function start(
  meter: Meter,
  written: Readonly<Record<string, unknown>> = {},
  setRate?: (rate: number) => Promise<void>,
) {
  mock.timers.enable({ apis: ['setTimeout'] })
  const port = mockPort()
  const [readings, doubts, log]: [Reading[], string[], string[]] = [[], [], []]
  let nowMs = 0
  function speak({ at, says, later }: Speech) {
    const heard = at === port.opened.baudRate
    port.say(heard ? Buffer.from(says, 'latin1') : new Uint8Array(says.length).fill(0x7f))
    if (later !== undefined) setTimeout(speak, 500, later)
  }
  const open: OpenPort = async (line) => {
    const opened = await port.open(line)
    log.push(`${line.baudRate} baud`)
    return {
      ...opened,
      async write(bytes) {
        const said = Buffer.from(bytes).toString('latin1')
        log.push(said)
        const answer = meter(said, port.opened.baudRate ?? 0)
        if (answer !== undefined) setTimeout(speak, 500, answer)
      },
      async setRate(rate) {
        await (setRate ?? opened.setRate)(rate)
        log.push(`${rate} baud`)
      },
    }
  }
  const options = readOptions(d0, { mode: 'ask', every: '1min', ...written })
  const line = supervise({
    ...{ name: 'meter', path: '/dev/eye', driver: d0.under?.(options) ?? d0, options, open },
    clock: { boot: '00'.repeat(16), monotonicMs: () => nowMs, wall: () => undefined },
    random: () => 0.5,
    moment: (reading) => void readings.push(reading),
    doubt: (reason) => void doubts.push(reason),
    note: () => {},
  })
  const stop = new AbortController()
  const ended = line.start(stop.signal)
  const settle = () => new Promise((done) => setImmediate(done))
  await settle()
  return {
    ...{ port, readings, doubts, log },
    async pass(seconds: number) {
      for (let step = 0; step < seconds * 10; step += 1) {
        nowMs += 100
        mock.timers.tick(100)
        await settle()
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
      mock.timers.reset()
    },
  }
}
