import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drivers } from '../../drivers/index.ts'
import { modbus } from '../../drivers/modbus/index.ts'
import type { Driver } from '../../runtime/sense/driver.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import type { OpenPort } from '../../runtime/sense/port.ts'
import { type Sniffing, sniff } from '../../runtime/sense/sniff.ts'
import { capture, sentence } from '../drivers/bench.ts'

const patience = { waitMs: 3_000, listenMs: 40, answerMs: 40 }
const { signal } = new AbortController()
const report = Buffer.from('aac0d4043a0aa1601dab', 'hex')

/** A line on which this is heard at one setting, and garbage at all others. */
function line(at: string, bytes: Uint8Array, more: Partial<Sniffing> = {}) {
  const port = mockPort()
  const open: OpenPort = async (given) => {
    const opened = await port.open(given)
    const here = `${given.baudRate}${given.parity ?? 'none'}` === at
    setTimeout(() => port.say(here ? bytes : Buffer.from('\u0000\u0080x')), 5)
    return opened
  }
  const found = sniff({ path: '/dev/x', drivers, open, asks: 'none', signal, patience, ...more })
  return { port, found }
}

test('the driver that understands is found, at the speed at which it does', async () => {
  const bytes = Buffer.from(sentence('GPHDT,123.456,T').repeat(2))
  const found = await line('4800none', bytes).found
  assert.ok(found !== undefined && found !== 'silent')
  assert.deepEqual([found.name, found.serial.baudRate, found.frames], ['nmea0183', 4800, 2])
  assert.deepEqual([found.sure, found.share], ['certain', 1])
})

test('who reads values is found before who only knows the frame, whichever speed is whose own', async () => {
  const ships = new TextDecoder().decode(capture('ais/pyais-messages.ais')).match(/!AIVDM.*/g) ?? []
  const messages = capture('ubx/pygpsdata-MIXED3.log')
  for (const [at, bytes, name] of [
    ['38400none', Buffer.from(sentence('GPHDT,123.456,T').repeat(3)), 'nmea0183'],
    ['9600none', Buffer.from(`${ships.join('\r\n')}\r\n`), 'ais'],
    ['38400none', messages, 'ubx'],
  ] as const) {
    const found = await line(at, bytes).found
    assert.ok(found !== undefined && found !== 'silent')
    assert.deepEqual([found.name, found.sure], [name, 'certain'], at)
  }
})

test('a meter whose line has a parity is found as the model that has it', async () => {
  const telegram = capture('dsmr/TELEGRAM_UNPADDED_CRC.txt')
  const bytes = Uint8Array.of(...telegram, ...telegram)
  const found = await line('9600even', bytes).found
  assert.ok(found !== undefined && found !== 'silent')
  assert.deepEqual([found.name, found.sure], ['dsmr.dsmr2', 'certain'])
})

test('half a frame before the first one is not held against it, one frame in noise is an accident', async () => {
  const some = Uint8Array.of(...report.subarray(4), ...report, ...report)
  const found = await line('9600none', some).found
  assert.ok(found !== undefined && found !== 'silent')
  assert.deepEqual([found.name, found.sure], ['sds011', 'certain'])
  const noise = new Uint8Array(40).fill(0x11)
  const once = await line('9600none', Uint8Array.of(...noise, ...report)).found
  assert.ok(once !== undefined && once !== 'silent')
  assert.deepEqual([once.name, once.sure], ['sds011', 'perhaps'])
})

test('one frame in much noise is nobody: some driver finds one in almost any', async () => {
  const noise = new Uint8Array(90).fill(0x11)
  assert.equal(await line('9600none', Uint8Array.of(...noise, ...report)).found, undefined)
})

test('a few short frames in a long stream are an accident, too', async () => {
  const port = mockPort()
  const open: OpenPort = async (given) => {
    const opened = await port.open(given)
    setTimeout(() => {
      for (let n = 0; n < 6; n += 1) {
        port.say(report)
        port.say(new Uint8Array(250).fill(0x11))
      }
    }, 5)
    return opened
  }
  const found = await sniff({ path: '/dev/x', drivers, open, asks: 'none', signal, patience })
  assert.ok(found !== undefined && found !== 'silent')
  assert.deepEqual([found.name, found.frames, found.sure], ['sds011', 6, 'perhaps'])
})

test('a line of somebody else is known by its talk, and nothing is asked on it', async () => {
  const talk = Buffer.from('1103007c00020743110304008d008efbbd'.repeat(2), 'hex')
  const { port, found } = line('9600none', talk, { drivers: [modbus], asks: 'private' })
  const heard = await found
  assert.ok(heard !== undefined && heard !== 'silent')
  assert.deepEqual([heard.name, heard.frames], ['modbus', 4])
  assert.deepEqual(port.written, [])
})

test('where nobody speaks nothing more is tried, unless it may be asked', async () => {
  const port = mockPort()
  const quick = { waitMs: 20, listenMs: 5, answerMs: 5 }
  const silent = { path: '/dev/x', drivers, open: port.open, signal, patience: quick }
  assert.equal(await sniff({ ...silent, asks: 'none' }), 'silent')
  assert.equal(port.opened.count, 1)
  assert.deepEqual(port.written, [])
  assert.equal(await sniff({ ...silent, asks: 'all' }), 'silent')
  assert.ok(port.written.length > 3)
})

test('a sensor that only answers is found by a question that changes nothing', async () => {
  const port = mockPort()
  const question = Buffer.from('ff0186000000000079', 'hex')
  const open: OpenPort = async (given) => {
    const opened = await port.open(given)
    const write = async (bytes: Uint8Array) => {
      await opened.write(bytes)
      if (question.equals(bytes)) port.say(Buffer.from('ff86026047000000d1', 'hex'))
    }
    return { ...opened, write }
  }
  const quick = { waitMs: 20, listenMs: 5, answerMs: 5 }
  const found = await sniff({ path: '/dev/x', drivers, open, asks: 'all', signal, patience: quick })
  assert.ok(found !== undefined && found !== 'silent')
  assert.deepEqual([found.name, found.sure], ['mhz19', 'likely'])
})

test('frames without a checksum are believed only where nothing better is found', async () => {
  const plain: Driver = { ...modbus, id: 'plain', check: undefined } as unknown as Driver
  const { check: _, bus: __, ...rest } = plain
  const loose: Driver = {
    ...(rest as Driver),
    shape: { ...plain.shape, starts: Uint8Array.of(0xaa), size: () => 10, flaw: () => undefined },
    decode: (_frame, memory) => ({ memory, said: { ok: true, values: {}, unchecked: true } }),
  }
  const bytes = Uint8Array.of(...report, ...report)
  const alone = await line('9600none', bytes, { drivers: [loose] }).found
  assert.ok(alone !== undefined && alone !== 'silent')
  assert.deepEqual([alone.name, alone.sure, alone.unchecked], ['plain', 'likely', 2])
  const among = await line('9600none', bytes, { drivers: [loose, ...drivers] }).found
  assert.ok(among !== undefined && among !== 'silent')
  assert.equal(among.name, 'sds011')
})

test('where nothing is understood nothing is found, and a signal ends the search', async () => {
  const { port, found } = line('no line', report)
  assert.equal(await found, undefined)
  const before = port.opened.count
  const stopped = { path: '/dev/x', drivers, open: port.open, signal: AbortSignal.abort() }
  await sniff({ ...stopped, asks: 'all', patience })
  assert.equal(port.opened.count, before)
})
