import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { follow, type Verdict } from '../../runtime/buyer/follow.ts'
import type { Cbor } from '../../runtime/wire/cbor.ts'
import { decodeMessage, encodeMessage } from '../../runtime/wire/epoch.ts'
import { secretOf } from '../wire/sample.ts'
import { chain } from './chain.ts'

const made = chain()
const messages = Array.from({ length: 12 }, () => made.epoch(2)).map(decodeMessage)
const options = { device: made.device, stream: 'air', signingKey: made.device }
const start = { generation: 0, number: 0, hash: new Uint8Array(32) }
const numbers = (verdicts: readonly Verdict[]) =>
  verdicts.flatMap((verdict) => (verdict.kind === 'epoch' ? [verdict.message.header.number] : []))
const findings = (verdicts: readonly Verdict[]) =>
  verdicts.flatMap((verdict) => (verdict.kind === 'finding' ? [verdict.finding] : []))

test('in whatever order and however often messages come, each epoch leaves once and in order', () => {
  const indices = messages.map((_, i) => i)
  const orders = fc
    .tuple(fc.shuffledSubarray(indices, { minLength: 12 }), fc.array(fc.constantFrom(...indices)))
    .map(([all, again]) => [...all, ...again])
    .chain((order) => fc.shuffledSubarray(order, { minLength: order.length }))
  fc.assert(
    fc.property(orders, (order) => {
      const follower = follow({ ...options, from: start })
      const verdicts = order.flatMap((i) => follower.take(messages[i] as (typeof messages)[0]))
      assert.deepEqual(
        numbers(verdicts),
        indices.map((i) => i + 1),
      )
      assert.deepEqual(findings(verdicts), [])
      assert.equal(follower.missing(), undefined)
    }),
  )
})

test('what is dropped is named as missing, waited for, and given up only when told', () => {
  fc.assert(
    fc.property(fc.subarray(messages.slice(0, -1)), (kept) => {
      const follower = follow({ ...options, from: start })
      const last = messages.at(-1) as (typeof messages)[0]
      const verdicts = [...kept, last].flatMap((message) => follower.take(message))
      while (follower.missing() !== undefined) verdicts.push(...follower.giveUp())
      const passed = numbers(verdicts)
      assert.deepEqual(
        passed,
        [...kept, last].map(({ header }) => header.number),
      )
      const gaps = verdicts.flatMap((verdict) => (verdict.kind === 'gap' ? [verdict] : []))
      const missed = gaps.flatMap(({ from, to }) =>
        Array.from({ length: to - from + 1 }, (_, i) => from + i),
      )
      assert.deepEqual(
        [...passed, ...missed].sort((a, b) => a - b),
        messages.map((_, i) => i + 1),
      )
    }),
  )
})

test('what another key signed changes nothing', () => {
  const forger = chain({ secret: secretOf('forger') })
  const forged = decodeMessage(forger.epoch(2))
  const posing = { ...forged, header: { ...forged.header, device: made.device } }
  const follower = follow({ ...options, from: start })
  assert.deepEqual(findings(follower.take(forged)), ['another stream'])
  assert.deepEqual(findings(follower.take(posing)), ['wrong signature'])
  assert.deepEqual(numbers(messages.flatMap((message) => follower.take(message))).length, 12)
})

test('a second header of one number is a fork, before and after its place was passed', () => {
  const other = chain()
  const twin = decodeMessage(other.epoch(3))
  const [first, second] = messages as [(typeof messages)[0], (typeof messages)[0]]
  const follower = follow({ ...options, from: start })
  follower.take(first)
  assert.deepEqual(findings(follower.take(twin)), ['fork'])
  const twins = decodeMessage(other.epoch(3))
  assert.deepEqual(findings(follower.take(twins)), ['broken chain'])
  assert.deepEqual(numbers(follower.take(second)), [2])
})

test('a message replayed under another place does not decode as signed', () => {
  const [first, second] = messages as [(typeof messages)[0], (typeof messages)[0]]
  assert.throws(() => decodeMessage(encodeMessage({ ...first, body: second.body })))
  const spliced = encodeMessage({ ...first, signature: second.signature })
  assert.notEqual(decodeMessage(spliced).signer, made.device)
})

test('a chain that was cut elsewhere and spliced on is broken', () => {
  const longer = chain()
  for (let i = 0; i < 6; i += 1) longer.epoch(5)
  const foreign = decodeMessage(longer.epoch(2))
  const follower = follow({ ...options, from: start })
  for (const message of messages.slice(0, 6)) follower.take(message)
  assert.deepEqual(findings(follower.take(foreign)), ['broken chain'])
  assert.deepEqual(numbers(follower.take(messages[6] as (typeof messages)[0])), [7])
})

test('two epochs of one boot never sell the same time twice', () => {
  const greedy = chain()
  const first = decodeMessage(greedy.epoch(1))
  const again = decodeMessage(greedy.epoch(1, { openedMonotonicMs: 10_000 }))
  const next = decodeMessage(greedy.epoch(1))
  const follower = follow(options)
  const verdicts = [first, again, next].flatMap((message) => follower.take(message))
  assert.deepEqual(numbers(verdicts), [1, 3])
  assert.deepEqual(findings(verdicts), ['overlapping time'])
})

test('a tombstone accounts for what it names, and the chain is proven on both sides of it', () => {
  const evicting = chain()
  const before = decodeMessage(evicting.epoch(1))
  evicting.epoch(1)
  evicting.epoch(1)
  const last = evicting.lastHash()
  const after = decodeMessage(evicting.epoch(1))
  const body = new Map<string, Cbor>([
    ['from', 2],
    ['to', 3],
    ['last', last],
    ['reason', 'store full'],
  ])
  const stone = decodeMessage(evicting.statement('tombstone', body))
  const follower = follow(options)
  const verdicts = [before, after, stone].flatMap((message) => follower.take(message))
  assert.deepEqual(
    verdicts.map(({ kind }) => kind),
    ['epoch', 'evicted', 'epoch', 'statement'],
  )
  assert.equal(follower.head()?.number, 5)
})

test('of tombstones before their turn only so many are remembered, the newest', () => {
  const evicting = chain()
  const follower = follow({ ...options, from: start, limits: { gravesMax: 2 } })
  for (let i = 0; i < 3; i += 1) {
    evicting.epoch(1)
    const number = evicting.next() - 1
    const body = new Map<string, Cbor>([
      ['from', number],
      ['to', number],
      ['last', evicting.lastHash()],
      ['reason', 'store full'],
    ])
    follower.take(decodeMessage(evicting.statement('tombstone', body)))
  }
  assert.deepEqual(
    [1, 3, 5].map((number) => follower.isBuried(number)),
    [false, true, true],
  )
})

test('a generation never goes back, however well the chain is linked', () => {
  const renewed = chain()
  const first = decodeMessage(renewed.epoch(1, { generation: 2 }))
  const back = decodeMessage(renewed.epoch(1, { generation: 1 }))
  const follower = follow({ ...options, from: start })
  const verdicts = [first, back].flatMap((message) => follower.take(message))
  assert.deepEqual([numbers(verdicts), findings(verdicts)], [[1], ['generation went back']])
})

test('of what was passed so many hashes are remembered: an older twin is no news, a newer one a fork', () => {
  const follower = follow({ ...options, from: start, limits: { rememberedMax: 3 } })
  for (const message of messages) follower.take(message)
  const other = chain()
  const twins = messages.map(() => decodeMessage(other.epoch(3)))
  assert.deepEqual(
    twins.map((twin) => findings(follower.take(twin)).length),
    [...Array.from({ length: 9 }, () => 0), 1, 1, 1],
  )
})

test('a kind that this version does not know is reported, and the chain goes on behind it', () => {
  const later = chain()
  const bytes = [later.epoch(1), later.statement(9, 'news'), later.epoch(1)]
  const follower = follow(options)
  const verdicts = bytes.flatMap((message) => follower.take(decodeMessage(message)))
  assert.deepEqual(
    verdicts.map(({ kind }) => kind),
    ['epoch', 'unknown', 'epoch'],
  )
})

test('a flood of messages far ahead is held only so far', () => {
  const follower = follow({ ...options, from: start, limits: { heldMax: 3 } })
  for (const message of messages.slice(1)) follower.take(message)
  assert.deepEqual(follower.missing(), { from: 1, to: 1 })
  assert.deepEqual(numbers(follower.take(messages[0] as (typeof messages)[0])), [1, 2, 3])
})
