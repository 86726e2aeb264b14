/** What stands behind a stream: a swapped sensor, another calibration or driver does not go by unseen. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sign } from '#crypto'
import { type Books, openBooks } from '../../runtime/buyer/books.ts'
import { openSetups } from '../../runtime/buyer/setups.ts'
import { type BuyNote, openTally } from '../../runtime/buyer/tally.ts'
import { sentenceOf } from '../../runtime/buyer/words.ts'
import { utf8 } from '../../runtime/wire/bytes.ts'
import type { Json } from '../../runtime/wire/jcs.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { readDocument, signDocument } from '../../runtime/wire/signed.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { memoryBroker } from '../operator/line.ts'
import { device, deviceSecret, secretOf } from '../wire/sample.ts'
import { openStreet, type Street } from './street.ts'

type Bought = Awaited<ReturnType<Street['buy']>>

const sensor = { make: 'Nova', model: 'SDS011', serial: 'A1', calibration: '2026-01-01, lab 3' }
const first = {
  ...{ version: 1, device, stream: 'air', product: 'wayside 1.0' },
  ...{ sensor, driver: { id: 'sds011', version: '1' } },
}

function signed(change: { readonly [member: string]: Json } = {}, secret = deviceSecret) {
  const payload = utf8(
    signDocument('setup', { ...first, ...change } as Json, (digest) => sign(digest, secret)),
  )
  return { payload, hash: readDocument('setup', payload).hash }
}

async function openTest(t: { after(fn: () => Promise<void>): void }) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-setups-'))
  t.after(() => rm(folder, { recursive: true }))
  const books = await openBooks(folder)
  t.after(() => books.close())
  return books
}

function watch(books: Books, keeps = true) {
  const notes: BuyNote[] = []
  const tally = openTally((note) => notes.push(note))
  const of = { device, stream: 'air' }
  return { ...openSetups({ books, of, signingKey: device, tally, keeps }), notes, tally }
}

const members = (notes: readonly BuyNote[]) =>
  notes.map((note) => (note.event === 'setup changed' ? note.members : note.event))

test('another calibration and another driver are named at the epoch that brings them, in a later run too', async (t) => {
  const books = await openTest(t)
  const [old, swapped] = [
    signed(),
    signed({
      version: 2,
      sensor: { ...sensor, calibration: 'never' },
      driver: { id: 'sds011', version: '9' },
    }),
  ]
  const one = watch(books)
  one.hear(old.payload)
  for (const number of [7, 8, 9]) one.passed(number, old.hash)
  one.hear(swapped.payload)
  one.passed(10, swapped.hash)
  assert.deepEqual(members(one.notes), ['setup', ['driver.version', 'sensor.calibration']])
  const [, told] = one.notes
  assert.match(
    sentenceOf(told as BuyNote),
    /changed at 10 of .*other driver.version, sensor.calibration; now Nova SDS011 A1, calibrated never/,
  )

  // A week later: the device went back to the old sensor while nobody looked.
  const two = watch(books)
  const back = signed({ version: 3, sensor: { ...sensor, serial: 'B2' } })
  two.hear(back.payload)
  two.passed(4_000, back.hash)
  assert.deepEqual(members(two.notes), [['driver.version', 'sensor.calibration', 'sensor.serial']])
  const three = watch(books)
  three.passed(4_001, back.hash)
  assert.deepEqual(three.notes, [])
})

test('a change whose document is kept back is told all the same', async (t) => {
  const books = await openTest(t)
  const one = watch(books)
  one.hear(signed().payload)
  one.passed(1, signed().hash)
  const hidden = signed({ version: 2, product: 'other' })
  one.passed(2, hidden.hash)
  assert.deepEqual(members(one.notes), ['setup', undefined])
  assert.match(sentenceOf(one.notes[1] as BuyNote), /its document is not at hand/)
  // It comes late: what is compared next has it.
  one.hear(hidden.payload)
  const next = signed({ version: 3, product: 'third' })
  one.hear(next.payload)
  one.passed(3, next.hash)
  assert.deepEqual(members(one.notes)[2], ['product'])
})

test('a setup by another key, of another stream or of an earlier day takes the place of none', async (t) => {
  const books = await openTest(t)
  const one = watch(books, false)
  one.hear(signed({ version: 5 }).payload)
  one.hear(signed({ version: 9 }, secretOf('thief')).payload)
  one.hear(signed({ version: 9, stream: 'noise' }).payload)
  one.hear(signed({ version: 4, product: 'old' }).payload)
  assert.throws(() => one.hear(utf8('{}')), Malformed)
  one.passed(1, signed({ version: 5 }).hash)
  assert.deepEqual(one.tally.findings(), { 'wrong signature': 2 })
  assert.equal(one.notes.at(-1)?.event, 'setup')
  assert.ok('setup' in (one.notes.at(-1) as BuyNote))
  // A range beside a resumed run leaves nothing behind it.
  assert.equal(books.setups.get({ device, stream: 'air' }), undefined)
})

test('who resumes at a device whose setup was swapped meanwhile is told at the first epoch under it', async (t) => {
  const broker = memoryBroker()
  const street = await openStreet(t, { broker })
  const before = await street.buy()
  const setups = new Set(await read(before, 10))
  assert.deepEqual(before.notes.filter(({ event }) => event.startsWith('setup')).length, 1)
  await street.devices[0]?.stop()
  await street.reopen({ product: 'another driver' })
  await broker.publish(topics(street.devices[0]?.device ?? device).setup('air'), signed().payload)
  const after = await street.buy({ resume: true })
  for (const hash of await read(after, 40, setups)) setups.add(hash)
  assert.deepEqual(members(after.notes.filter(({ event }) => event.startsWith('setup'))), [
    ['product'],
  ])
  assert.equal(setups.size, 2)
})

/** Reads so many, and on until a setup comes that is not among these; gives the setups that came. */
async function read(buyer: Bought, count: number, known?: ReadonlySet<string>): Promise<string[]> {
  const setups: string[] = []
  for await (const item of buyer.readings()) {
    setups.push(item.setup)
    if (setups.length >= count && (known?.has(item.setup) ?? false) === false) buyer.stop()
  }
  await buyer.close()
  return setups
}
