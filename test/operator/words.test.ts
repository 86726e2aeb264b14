import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Note } from '../../runtime/operator/note.ts'
import { sentenceOf } from '../../runtime/operator/words.ts'
import { device } from './fixture.ts'

const channel = `0x${'ab'.repeat(32)}` as const
const money = (amount: bigint) => `${amount} u`

const said: readonly (readonly [Note, string])[] = [
  [
    { event: 'granted', channel, device: device(1), cap: 5n, untilMs: 0 },
    `channel 0xabababab…: granted ${device(1)} up to 5 u until 1970-01-01T00:00:00.000Z`,
  ],
  [
    { event: 'granted', channel, device: device(1), cap: 5n, untilMs: 2 ** 53 - 1 },
    `channel 0xabababab…: granted ${device(1)} up to 5 u until the end of all calendars`,
  ],
  [
    { event: 'acked', channel, period: 3n, total: 7n },
    'channel 0xabababab…: acked period 3, 7 u promised',
  ],
  [
    { event: 'claimed', channels: [channel, channel], value: 9n, transaction: '0x01', gas: 80n },
    'claimed 9 u from 2 channels in 0x01, 80 gas',
  ],
  [
    { event: 'trouble', where: 'chain', why: 'no endpoint answers' },
    'trouble with chain, will be tried again: no endpoint answers',
  ],
]

for (const [note, sentence] of said) {
  test(`a person reads: ${sentence}`, () => assert.equal(sentenceOf(note, money), sentence))
}
