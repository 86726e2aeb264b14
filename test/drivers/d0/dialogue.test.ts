import assert from 'node:assert/strict'
import { test } from 'node:test'
import { d0 } from '../../../drivers/d0/index.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { readOptions } from '../../../runtime/sense/options.ts'

const second = 1000

function dialogue(written: Record<string, unknown> = {}) {
  const options = readOptions(d0, { mode: 'ask', ...written })
  const driver = d0.under?.(options) ?? d0
  const work = decoder(driver, options)
  return {
    driver,
    sent: (nowMs: number) => Buffer.from(work.ask(nowMs)?.send ?? []).toString('latin1'),
    turn: (nowMs: number) => work.ask(nowMs),
    hear: (text: string) =>
      work.push(new Uint8Array(Buffer.from(text, 'latin1'))).map(({ said }) => said),
  }
}

const data = '1.8.0(000285.4*kWh)\r\n!\r\n\x03'
const block = `\x02${data}${String.fromCharCode([...data].reduce((sum, c) => sum ^ c.charCodeAt(0), 0))}`

test('a meter of mode C whose eye is slow is asked to stay at the speed of the line, and read', () => {
  const { driver, sent, turn, hear } = dialogue({ every: '1min', fastest: '2400' })
  assert.deepEqual(driver.serial, { baudRate: 300, dataBits: 7, parity: 'even' })
  assert.equal(sent(0), '/?!\r\n')
  assert.deepEqual(hear('/?!\r\n'), [], 'its own question, which the eye reflects')
  assert.equal(sent(200), '')
  assert.deepEqual(hear('/ELS5\\@V9.30\r\n'), [], 'heard at once, though nothing follows')
  assert.deepEqual([turn(1_500)?.send, turn(1_500)?.wakeMs], [undefined, 300])
  assert.equal(sent(1_800), '\x06000\r\n')
  assert.deepEqual(hear('\x06000\r\n'), [])
  const [said] = hear(block)
  assert.ok(said?.ok)
  assert.deepEqual(said.values, { identification: 'ELS5\\@V9.30', '1.8.0': 285.4 })
  assert.equal(said.unchecked, undefined)
  assert.equal(sent(40 * second), '')
  assert.equal(sent(60 * second), '/?!\r\n')
})

test('a meter of mode A sends at once, and is given the time that a long block takes', () => {
  const { sent, turn, hear } = dialogue()
  sent(0)
  hear('/LGZ\\2ZMD\r\n')
  assert.equal(sent(1_500), '')
  assert.equal(turn(300 * second)?.doubt, undefined)
  const [said] = hear(block)
  assert.ok(said?.ok)
})

test('who does not answer is asked again when the time has come', () => {
  const { sent, turn } = dialogue({ every: '1min', address: '12345678' })
  assert.equal(sent(0), '/?12345678!\r\n')
  assert.equal(turn(3 * second)?.doubt, undefined)
  assert.equal(turn(7 * second)?.doubt, 'no answer')
  assert.equal(sent(30 * second), '')
  assert.equal(sent(61 * second), '/?12345678!\r\n')
})

test('a meter with a battery is woken first, and left in peace before the question', () => {
  const { sent } = dialogue({ wake: true })
  assert.equal(sent(0), '\0'.repeat(66))
  assert.equal(sent(3 * second), '')
  assert.equal(sent(4 * second), '/?!\r\n')
  assert.equal(sent(4 * second + 1), '')
})

test('a block that never comes is counted, and its silence is not taken for a dead port', () => {
  const { driver, sent, turn, hear } = dialogue()
  sent(0)
  hear('/ELS0\\@V9.30\r\n')
  sent(1_000)
  assert.equal(sent(1_400), '\x06000\r\n')
  assert.equal(turn(500 * second)?.doubt, undefined)
  assert.equal(turn(600 * second)?.doubt, 'no answer')
  assert.ok(driver.silenceMs > 15 * 60 * second + 560 * second)
})

test('nothing is ever sent to a meter that is listened to', () => {
  const work = decoder(d0, readOptions(d0))
  assert.equal(work.ask(0)?.send, undefined)
  assert.equal(work.ask(3_600 * second)?.send, undefined)
})
