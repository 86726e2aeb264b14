import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message } from '../../drivers/ubx/frame.ts'
import { ubx } from '../../drivers/ubx/index.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { capture } from './bench.ts'

const work = (options = {}) => decoder(ubx, readOptions(ubx, options))
const configured = () => work({ configure: 'yes' })
const hex = (bytes?: Uint8Array) => (bytes === undefined ? '' : Buffer.from(bytes).toString('hex'))

const refuses = (group: number, id: number) => message(0x05, 0x00, [group, id])

/** As a receiver on UART 1 at 9600 baud answers: UBX, NMEA and RTCM in, UBX and NMEA out. */
const port = [1, 0, 0, 0, 0xd0, 8, 0, 0, 0x80, 0x25, 0, 0, 7, 0, 3, 0, 0, 0, 0, 0]

test('nothing is ever sent unless the config says so', () => {
  const quiet = work()
  assert.equal(quiet.ask(0)?.send, undefined)
  quiet.push(message(0x06, 0x00, port))
  quiet.push(refuses(0x06, 0x01))
  assert.equal(quiet.ask(60_000)?.send, undefined)
})

test('asks who it is and how its port is set, and for NAV-PVT, each in the bytes of the manual', () => {
  const sent = hex(configured().ask(0)?.send)
  assert.equal(sent, `b5620a0400000e34${'b56206000000'}0618${'b5620601030001070113'}51`)
})

test('keeps speed and all else of the port, puts UBX in and takes NMEA out', () => {
  const one = configured()
  one.ask(0)
  assert.deepEqual(one.push(message(0x06, 0x00, port)), [])
  const wanted = port.with(14, 1)
  assert.equal(hex(one.ask(50)?.send), hex(message(0x06, 0x00, wanted)))
  assert.equal(one.ask(60)?.send, undefined)
  // Nobody asked for a second answer.
  assert.equal(one.push(message(0x06, 0x00, port)).length, 1)
  assert.equal(one.ask(70)?.send, undefined)
})

test('a port that is as it should be is left alone', () => {
  const one = configured()
  one.ask(0)
  one.push(message(0x06, 0x00, port.with(14, 0x21)))
  assert.equal(one.ask(50)?.send, undefined)
})

test('a receiver older than NAV-PVT is asked for what it has, once', () => {
  const one = configured()
  one.ask(0)
  one.push(refuses(0x06, 0x01))
  const sent = hex(one.ask(50)?.send)
  for (const id of ['02', '06', '12', '21'])
    assert.ok(sent.includes(`b562060103000${'1'}${id}01`), id)
  const [refused] = one.push(refuses(0x06, 0x01))
  assert.deepEqual(refused?.said, {
    ok: false,
    doubt: 'the receiver refused a setting',
    detail: 'CFG-MSG',
  })
  assert.equal(one.ask(60)?.send, undefined)
})

test('a receiver of protocol 27 and later is told in keys, in RAM only', () => {
  const one = configured()
  one.ask(0)
  const log = capture('ubx/pygpsdata-MON.log')
  assert.ok(
    one.push(log.subarray(0, 228)).some(({ said }) => said.ok && said.values.protVer === 27.5),
  )
  const sent = hex(one.ask(50)?.send)
  assert.equal(sent.match(/b562068a/g)?.length, 3)
  assert.ok(sent.startsWith('b562068a13000001000007009120010100741001020074100'))
  one.push(log.subarray(0, 228))
  assert.equal(one.ask(60)?.send, undefined)
})

test('says all again when no navigation message came for ten seconds, and not while they come', () => {
  const one = configured()
  assert.ok(one.ask(0)?.send)
  const navigation = capture('ubx/pygpsdata-NAV.log').subarray(0, 100)
  for (let ms = 1000; ms <= 30_000; ms += 1000) {
    one.push(navigation)
    assert.equal(one.ask(ms)?.send, undefined)
  }
  assert.equal(one.ask(39_000)?.send, undefined)
  assert.ok((one.ask(39_000)?.wakeMs ?? 0) <= 1000)
  assert.ok(one.ask(40_000)?.send)
})
