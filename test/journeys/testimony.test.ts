/** The checks of the journeys can fail: every wrong that they look for, made by hand, is found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sign } from '#crypto'
import { utf8 } from '../../runtime/wire/bytes.ts'
import { decodeMessage, encodeMessage } from '../../runtime/wire/epoch.ts'
import { headerHash } from '../../runtime/wire/header.ts'
import { leafKey, streamRoot } from '../../runtime/wire/keytree.ts'
import { signDocument } from '../../runtime/wire/signed.ts'
import { deviceSecret, sampleEpoch, secretOf } from '../wire/sample.ts'
import { sampleOffer } from '../wire/sampledocuments.ts'
import {
  brokenChains,
  type Epochs,
  type Heard,
  type Life,
  lostReadings,
  mixedOffers,
  openAll,
  repeatedReadings,
  skippedEpochs,
  strayLines,
  strayOpens,
} from './testimony.ts'

const each = 3
const betweenMs = 100_000

/** Three honest epochs of three readings, whose frames are numbered on. */
function honest(): Epochs {
  const epochs = new Map<string, Heard>()
  let previous = new Uint8Array(32)
  for (const number of [1, 2, 3]) {
    const { sealed, readings } = sampleEpoch({ count: each, number, previous })
    const message = decodeMessage(encodeMessage(sealed))
    const laterMs = (number - 1) * betweenMs
    const { header } = message
    epochs.set(`air/${number}`, {
      message: {
        ...message,
        header: {
          ...header,
          openedMonotonicMs: header.openedMonotonicMs + laterMs,
          closedMonotonicMs: header.closedMonotonicMs + laterMs,
        },
      },
      readings: readings.map((reading, i) => ({
        ...reading,
        monotonicMs: reading.monotonicMs + laterMs,
        values: { serial: (number - 1) * each + i + 1 },
      })),
    })
    previous = new Uint8Array(headerHash(sealed.headerBytes))
  }
  return epochs
}

/** The same, with one epoch otherwise. */
function otherwise(name: string, change: (heard: Heard) => Heard | undefined): Epochs {
  const epochs = new Map(honest())
  const heard = epochs.get(name)
  const changed = heard && change(heard)
  epochs.delete(name)
  return changed === undefined ? epochs : epochs.set(name, changed)
}

const life: Life = { fromMs: 0, toMs: 4 * betweenMs, stored: new Map([['air', 9]]) }
const lines = [...honest()].flatMap(([name, { readings }]) => {
  const epoch = Number(name.split('/')[1])
  return readings.map(({ values }, index) => ({ stream: 'air', epoch, index, values }))
})
const root = streamRoot(secretOf('generation 1'), 'air')
const leafOf = (_stream: string, _generation: number, number: number) =>
  leafKey([root], number) as Uint8Array

test('an honest testimony has nothing wrong with it', () => {
  const epochs = honest()
  assert.deepEqual(brokenChains(epochs), [])
  assert.deepEqual(lostReadings([life], epochs), [])
  assert.deepEqual(repeatedReadings(epochs, 'serial'), [])
  assert.deepEqual(strayLines(lines, epochs), [])
  assert.deepEqual(skippedEpochs(lines, epochs), [])
  assert.deepEqual(strayOpens([openMessage(2, 1, 5)], epochs), [])
})

test('a message that comes twice is one epoch, a number with two contents is not', () => {
  const one = encodeMessage(sampleEpoch({ count: 2, number: 7 }).sealed)
  const other = encodeMessage(sampleEpoch({ count: 3, number: 7 }).sealed)
  const again = openAll([one, one], leafOf)
  assert.deepEqual([again.epochs.size, again.wrong], [1, []])
  assert.deepEqual(openAll([one, other], leafOf).wrong, ['air/7 was sent with two contents'])
})

test('an epoch that its own device cannot open is found', () => {
  const one = encodeMessage(sampleEpoch({ count: 2, number: 7 }).sealed)
  const [wrong = ''] = openAll([one], () => secretOf('another')).wrong
  assert.match(wrong, /^air\/7 does not open: key/)
})

test('a hole, a broken link, a strange signer and an overlap are found', () => {
  assert.deepEqual(brokenChains(otherwise('air/2', () => undefined)), [
    'air/3 stands where air/2 should',
    'air/3 does not name the header before',
  ])
  const changed = (header: Partial<Heard['message']['header']>) =>
    brokenChains(
      otherwise('air/2', (heard) => ({
        ...heard,
        message: { ...heard.message, header: { ...heard.message.header, ...header } },
      })),
    )
  assert.deepEqual(changed({ previous: secretOf('nothing') }), [
    'air/2 does not name the header before',
  ])
  assert.deepEqual(changed({ device: sampleOffer.operator }), ['air/2 is signed by another key'])
  assert.deepEqual(changed({ openedMonotonicMs: 1 }), ['air/2 overlaps the epoch before'])
})

test('a reading that was told of and is not sealed is found, in the life that told of it', () => {
  const short = otherwise('air/3', (heard) => ({ ...heard, readings: heard.readings.slice(1) }))
  assert.deepEqual(lostReadings([life], short), ['life 0 told of 9 of air and sealed 8'])
  // Two lives told of four each; together they sealed nine, but one of them too few.
  const lives = [
    { fromMs: 0, toMs: betweenMs, stored: new Map([['air', 4]]) },
    { fromMs: betweenMs + 1, toMs: 4 * betweenMs, stored: new Map([['air', 4]]) },
  ]
  assert.deepEqual(lostReadings(lives, honest()), ['life 0 told of 4 of air and sealed 3'])
})

test('a reading that is sealed twice is found', () => {
  const first = honest().get('air/1')?.readings ?? []
  const twice = otherwise('air/2', (heard) => ({ ...heard, readings: first.slice(2) }))
  assert.deepEqual(repeatedReadings(twice, 'serial'), ['air has frame 3 behind frame 3'])
})

test('an open message that the sealed epoch does not bear out is found', () => {
  const epochs = honest()
  const wrongOf = (...opens: Parameters<typeof strayOpens>[0]) => strayOpens(opens, epochs)
  assert.deepEqual(wrongOf(openMessage(4, 0, 10)), ['air/4#0 was published and is in no epoch'])
  assert.deepEqual(wrongOf(openMessage(2, 3, 7)), ['air/2#3 was published and is in no epoch'])
  assert.deepEqual(wrongOf(openMessage(2, 1, 6)), [
    'air/2#1 was published otherwise than it was sealed',
  ])
  assert.deepEqual(wrongOf(openMessage(2, 1, 5), openMessage(2, 1, 6)), [
    'air/2#1 was published with two contents',
  ])
})

test('a line that the buyer got twice, otherwise or not at all is found', () => {
  const epochs = honest()
  const [first] = lines
  assert.ok(first)
  assert.deepEqual(strayLines([first, first], epochs), ['the buyer got air/1#0 twice'])
  assert.deepEqual(strayLines([{ ...first, values: { serial: 2 } }], epochs), [
    'the buyer got air/1#0 otherwise than it was sealed',
  ])
  const without = lines.filter(({ epoch }) => epoch !== 2)
  assert.deepEqual(skippedEpochs(without, epochs), ['the buyer read 0 of 3 in air/2'])
  assert.deepEqual(skippedEpochs(lines.slice(1), epochs), ['the buyer read 2 of 3 in air/1'])
})

test('an offer that says two things under one version, or goes back, is found', () => {
  const offer = (version: number, title = '') => {
    const document = { ...sampleOffer, version, policy: title }
    return utf8(signDocument('offer', document, (digest) => sign(digest, deviceSecret)))
  }
  assert.deepEqual(mixedOffers([offer(3), offer(4), offer(3)]), [])
  assert.deepEqual(mixedOffers([offer(3), offer(3, 'more')]), ['offer 3 says two things'])
  assert.deepEqual(mixedOffers([offer(4), offer(3)]), ['offer 3 came behind 4'])
})

/** As a device publishes a reading of a free stream; the frame's number is its value. */
function openMessage(epoch: number, index: number, frame: number) {
  const mono = honest().get(`air/${epoch}`)?.readings[index]?.monotonicMs ?? 0
  const record = { bn: 'x/', mono, epoch, index, n: 'serial', v: frame }
  return { stream: 'air', payload: utf8(JSON.stringify([record])) }
}
