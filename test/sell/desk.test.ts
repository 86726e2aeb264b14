import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { type Books, booksFrom, booksRow, newBooks } from '../../runtime/sell/books.ts'
import {
  endGrant,
  pendingMax,
  supply,
  takeAck,
  takeGrant,
  takePayment,
  want,
} from '../../runtime/sell/desk.ts'
import type { SealedEpoch } from '../../runtime/sell/rows.ts'
import { size, without } from '../../runtime/sell/runs.ts'
import { decodeAck, encodeAck, signAck } from '../../runtime/wire/ack.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { signGrant } from '../../runtime/wire/grant.ts'
import { signOrder } from '../../runtime/wire/order.ts'
import type { Payment } from '../../runtime/wire/payment.ts'
import { termsHash } from '../../runtime/wire/terms.ts'
import { pay } from './buyer.ts'
import {
  buyerSigner,
  channel,
  config,
  dayMs,
  device,
  gateway,
  rail,
  startMs,
  terms,
} from './world.ts'

const exposureMax = 120n
const price = { amount: 10n, perMs: 1_000n }
const tariff = { stream: 'air', price, epochMs: 1_000 }
const ground = {
  timeMs: startMs,
  tariffOf: (hash: string) => (hash === hex(termsHash(terms)) ? tariff : undefined),
}

/** Totals that the buyer has signed, by period. */
const payments: Payment[] = []
let fresh: Books

before(async () => {
  for (let i = 0; i < 12; i += 1) payments.push(await pay(BigInt(i * 37), BigInt(i + 1)))
  const order = await signOrder(
    {
      channelId: channel,
      number: 1n,
      seller: device,
      terms: [termsHash(terms)],
      ceilingAmount: 10n,
      ceilingPerMs: 1_000n,
      sessionKey: new Uint8Array(32),
      untilMs: startMs + dayMs,
    },
    buyerSigner,
  )
  fresh = newBooks({ order, config, rail }, exposureMax)
})

type Op =
  | { readonly op: 'grant'; readonly cap: number }
  | { readonly op: 'pay' | 'ack'; readonly which: number }
  | { readonly op: 'want'; readonly from: number; readonly count: number }
  | { readonly op: 'seal'; readonly coveredMs: number; readonly kind: string }
  | { readonly op: 'supply' | 'restart' | 'ungrant' }

const which = fc.nat(11)
const seal: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('seal' as const),
  coveredMs: fc.integer({ min: 1, max: 1_500 }),
  kind: fc.constantFrom('readings', 'readings', 'interrupted', 'clock map'),
})
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('grant' as const), cap: fc.nat(500) }),
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constantFrom('pay' as const, 'ack' as const), which }),
  },
  fc.record({
    op: fc.constant('want' as const),
    from: fc.integer({ min: 1, max: 20 }),
    count: fc.nat(15),
  }),
  { weight: 3, arbitrary: seal },
  fc.record({ op: fc.constantFrom('supply' as const, 'supply' as const, 'restart' as const) }),
  { weight: 1, arbitrary: fc.record({ op: fc.constant('ungrant' as const) }) },
)
/** Begins granted and with something on the shelf, so that most histories come to a sale. */
const long = { minLength: 20, maxLength: 80, size: 'max' } as const
const history = fc
  .tuple(fc.array(seal, { minLength: 3, maxLength: 20, size: 'max' }), fc.array(op, long))
  .map(([shelf, ops]): Op[] => [{ op: 'grant', cap: 300 }, ...shelf, ...ops])

async function step(books: Books, shelf: SealedEpoch[], next: Op): Promise<Books> {
  switch (next.op) {
    case 'grant': {
      const cap = BigInt(next.cap)
      const untilMs = startMs + dayMs
      const unsigned = { channelId: channel, device, index: 0, cap, untilMs, registryVersion: 1n }
      const heard = { ...books, heardMs: startMs }
      return takeGrant(heard, await signGrant(unsigned, gateway))
    }
    case 'pay': {
      const taken = takePayment(books, payments[next.which] as Payment, ground)
      return taken.ok ? taken.books : books
    }
    case 'ack': {
      const { period, root, total } = (payments[next.which] as Payment).split
      const unsigned = { channelId: channel, period, root, total, timeMs: startMs }
      return takeAck(books, decodeAck(encodeAck(await signAck(unsigned, gateway))))
    }
    case 'want': {
      const to = next.from + next.count
      const taken = want(books, [{ stream: 'air', generation: 1, from: next.from, to }])
      return taken.ok ? taken.books : books
    }
    case 'seal': {
      const number = shelf.length + 1
      const { kind, coveredMs } = next
      const more = { seq: number, stream: 'air', generation: 1, number, bytes: 100 }
      shelf.push({ ...more, kind, coveredMs, terms: termsHash(terms) })
      return books
    }
    case 'supply': {
      const wanted = shelf.filter(({ number }) =>
        books.wanted.some(({ from, to }) => from <= number && number <= to),
      )
      return supply(books, wanted, [], ground).books
    }
    case 'ungrant':
      return endGrant(books)
    case 'restart':
      return booksFrom(booksRow(books), exposureMax)
  }
}

function check(books: Books, shelf: readonly SealedEpoch[]) {
  const { cap, promised, delivered, acknowledged } = books.account
  assert.ok(delivered <= promised && promised <= cap, 'delivered ≤ promised ≤ cap')
  assert.ok(acknowledged <= promised, 'acknowledged ≤ promised')
  assert.ok(delivered - acknowledged <= exposureMax, 'within exposure')
  const bought = shelf.filter(({ number }) =>
    books.bought.some(({ from, to }) => from <= number && number <= to),
  )
  assert.equal(size(books.bought), bought.length, 'nothing is bought that is not sealed')
  const coveredMs = bought
    .filter(({ kind }) => kind !== 'clock map')
    .reduce((sum, epoch) => sum + Math.min(epoch.coveredMs, 1_000), 0)
  assert.equal(delivered, (BigInt(coveredMs) * 10n) / 1_000n, 'each epoch is charged once')
  assert.equal(size(without(books.wanted, books.bought)), size(books.wanted), 'nothing twice')
}

test('whatever comes in whatever order, nothing is charged twice and no key goes unpaid', async () => {
  let rich = 0
  await fc.assert(
    fc.asyncProperty(history, async (ops) => {
      let books = fresh
      const shelf: SealedEpoch[] = []
      for (const next of ops) {
        const after = await step(books, shelf, next)
        assert.ok(after.account.delivered >= books.account.delivered, 'delivered only grows')
        assert.ok(after.account.promised >= books.account.promised, 'promised only grows')
        assert.ok(after.account.cap >= books.account.cap, 'the cap only rises')
        assert.equal(size(without(books.bought, after.bought)), 0, 'what is bought stays bought')
        const period = (of: Books) => of.ack?.period ?? 0n
        assert.ok(period(after) >= period(books), 'acks only get newer')
        const before = books
        books = after
        check(books, shelf)
        const isOver = before.grant?.live === false && next.op !== 'grant'
        if (isOver) checkEnded(before, after)
        if (books.account.delivered > 50n) rich += 1
      }
    }),
    { numRuns: 80 },
  )
  assert.ok(rich > 50, `only ${rich} states had much delivered`)
})

/** After the grant was taken back nothing is taken that the gateway does not hold. */
function checkEnded(before: Books, after: Books) {
  const { promised, acknowledged } = after.account
  if (promised > before.account.promised)
    assert.equal(acknowledged, promised, 'taken as it is acked')
}

test('what was promised is delivered though the grant is gone, and no promise is taken but one that the gateway holds', async () => {
  const shelf: SealedEpoch[] = []
  let books = fresh
  const then = async (...ops: Op[]) => {
    for (const next of ops) books = await step(books, shelf, next)
  }
  await then({ op: 'grant', cap: 500 }, { op: 'want', from: 1, count: 19 })
  await then(...Array.from({ length: 20 }, () => readings))
  // Of the first the device knows; the second is acked before it comes here, and the grant goes.
  await then({ op: 'pay', which: 1 }, { op: 'ack', which: 2 }, { op: 'ungrant' })
  await then({ op: 'supply' })
  assert.equal(books.account.delivered, 30n, 'what it took it delivers')
  const no = takePayment(books, payments[3] as Payment, ground)
  assert.equal(!no.ok && no.refusal.code, 'grant-taken-back')
  await then({ op: 'pay', which: 2 }, { op: 'supply' })
  assert.deepEqual([books.account.promised, books.account.delivered], [74n, 70n])
  assert.equal(supply(books, shelf, [], ground).stopped?.code, 'grant-taken-back')
})

const readings = { op: 'seal', kind: 'readings', coveredMs: 1_000 } as const

test('with lost books what was acknowledged is not delivered again, whichever payment is shown first', async () => {
  const grant = await step(fresh, [], { op: 'grant', cap: 500 })
  for (const spent of ['all', 5n * 37n] as const) {
    for (const first of [1, 4, 5, 6]) {
      // The sixth payment was acked before the books were lost; five times 37 was delivered for it.
      const lost: Books = { ...(await step(grant, [], { op: 'ack', which: 5 })), lost: { spent } }
      let books = lost
      for (const next of [first, 5, 7]) {
        const taken = takePayment(books, payments[next] as Payment, ground)
        assert.ok(taken.ok)
        if (next < 5) assert.equal(taken.books, lost, 'an older one changes nothing')
        books = taken.books
      }
      assert.ok(books.account.delivered >= 5n * 37n, `${books.account.delivered} after ${first}`)
      assert.equal(books.account.promised, 7n * 37n)
    }
  }
})

test('of promises whose ack has not come only so many are remembered, the newest', async () => {
  const granted = await step(fresh, [], { op: 'grant', cap: 500 })
  const entry = (period: number) => ({
    period: BigInt(period),
    root: new Uint8Array(32),
    amount: 0n,
  })
  const pending = Array.from({ length: pendingMax }, (_, i) => entry(i - pendingMax))
  const taken = takePayment({ ...granted, pending }, payments[3] as Payment, ground)
  assert.ok(taken.ok)
  assert.equal(taken.books.pending.length, pendingMax)
  assert.equal(taken.books.pending.at(-1)?.period, payments[3]?.split.period)
})

test('every decision taken twice is taken once', async () => {
  await fc.assert(
    fc.asyncProperty(history, op, async (ops, last) => {
      let books = fresh
      const shelf: SealedEpoch[] = []
      for (const next of ops) books = await step(books, shelf, next)
      if (last.op === 'seal') return
      const once = await step(books, shelf, last)
      assert.deepEqual(booksRow(await step(once, shelf, last)), booksRow(once))
    }),
    { numRuns: 50 },
  )
})

test('an older grant changes nothing, and a place never moves', async () => {
  const grant = (over: object) =>
    signGrant(
      {
        ...{ channelId: channel, device, index: 0, cap: 100n, registryVersion: 2n },
        ...{ untilMs: startMs + dayMs, ...over },
      },
      gateway,
    )
  const books = takeGrant(fresh, await grant({}))
  for (const over of [
    { registryVersion: 1n, untilMs: startMs + 9 * dayMs },
    { cap: 99n, untilMs: startMs + 9 * dayMs },
    { untilMs: startMs },
    { index: 1, cap: 500n },
  ])
    assert.equal(takeGrant(books, await grant(over)), books)
  assert.equal(takeGrant(books, await grant({ cap: 101n })).account.cap, 101n)
})

test('an epoch that was bought once is free from then on, even if it is asked of the desk again', () => {
  const order = { ...fresh, own: true }
  const epoch = { seq: 1, stream: 'air', generation: 1, number: 7, kind: 'readings' }
  const sealed = { ...epoch, coveredMs: 1_000, terms: termsHash(terms), bytes: 100 }
  const { books } = supply(order, [sealed], [], ground)
  const again = supply({ ...books, own: false }, [sealed], [], ground)
  assert.equal(again.stopped, undefined)
  assert.equal(again.books.bytesPaid, 100)
})
