import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { d0 } from '../../drivers/d0/index.ts'
import { dsmr } from '../../drivers/dsmr/index.ts'
import { capture, doubts, hear, sayings } from './bench.ts'

const withParity = (bytes: Uint8Array) =>
  bytes.map((byte) => {
    const ones = byte.toString(2).replaceAll('0', '').length
    return ones % 2 === 0 ? byte : byte | 0x80
  })

const pushed = ascii(
  '/EBZ5DD32R06DTA_107\r\n1-0:1.8.0*255(007459.78471652*kWh)\r\n1-0:76.7.0*255(-000373.17*W)\r\n!\r\n',
)
// Iskraemeco AM150, as it answers.
const lines =
  '0.0.0(73066029)\r\n1.8.0(0008989.442*kWh)\r\n0.2.0(1)\r\nC.1.6(A8D9)\r\nF.F.0(0000000)'
const checked = ascii(`/ISk5AM150-T000\r\n\x02${lines}\r\n!\r\n\x034`)

test('7E1 that was read as 8N1 says what it says without its parity', () => {
  for (const line of [pushed, checked, Uint8Array.of(...checked, ...pushed)]) {
    const once = sayings(hear(d0, line))
    assert.ok(once.length > 0)
    assert.deepEqual(sayings(hear(d0, withParity(line))), once)
  }
  const v3 = capture('dsmr/TELEGRAM_V3.txt')
  const early = { early: true }
  assert.deepEqual(
    sayings(hear(dsmr, withParity(Uint8Array.of(...v3, ...v3)), early)),
    sayings(hear(dsmr, Uint8Array.of(...v3, ...v3), early)),
  )
})

test('one bit that is off in a line with parity is never a value, whatever else checks it', () => {
  const sent = withParity(pushed)
  fc.assert(
    fc.property(fc.nat(sent.length - 1), fc.nat(7), (at, bit) => {
      const changed = sent.slice()
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      // Behind the end nothing is said any more.
      if (at < sent.length - 2) assert.deepEqual(sayings(hear(d0, changed)), [])
    }),
  )
  const off = sent.slice()
  off[40] = (off[40] ?? 0) ^ 1
  assert.deepEqual(doubts(hear(d0, off)), ['wrong parity'])
})

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}
