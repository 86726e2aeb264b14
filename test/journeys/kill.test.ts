/**
 * The device is killed in mid-epoch, again and again, while a buyer buys: nothing is lost that an outside
 * witness was told, no number is used twice, the chain verifies, the buyer's books agree.
 *
 *   KILL_SEED=…   the moments of an earlier run
 *   KILLS=200     a long night; ten otherwise
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import { randomBytes } from '#crypto'
import { chainAvailable } from '../../demo/chain.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { due } from '../../runtime/wire/price.ts'
import { chance } from './chance.ts'
import { type Money, type Played, play } from './killed.ts'
import { epochMs, purse, type Stage, serial, setStage, sold } from './setting.ts'
import {
  brokenChains,
  type Epochs,
  lostReadings,
  mixedOffers,
  openAll,
  repeatedReadings,
  skippedEpochs,
  strayLines,
  strayOpens,
} from './testimony.ts'

const kills = Number(process.env.KILLS ?? 10)
const noChain = chainAvailable() ? false : 'no anvil for this machine: the money half is left out'

suite(`a device that is killed ${kills} times in mid-epoch`, () => {
  let stage: Stage
  let played: Played
  let opened: ReturnType<typeof openAll>

  before(async () => {
    const dice = chance(process.env.KILL_SEED)
    console.log(`KILL_SEED=${dice.seed}`)
    stage = await setStage()
    played = await play(stage, kills, dice)
    const folder = `${stage.world.files.deviceFolder}/generations`
    const { leafKey } = await openGenerations(folder, { random: randomBytes })
    opened = openAll(played.epochs, leafKey)
  })
  after(() => stage?.end.run())

  test('was really killed in the middle of its work, and watched', (t) => {
    const kinds = [...opened.epochs.values()].map(({ message }) => message.header.kind)
    const interrupted = kinds.filter((kind) => kind === 'interrupted').length
    const told = played.lives.flatMap(({ stored }) => [...stored.values()])
    const readings = told.reduce((sum, count) => sum + count, 0)
    t.diagnostic(
      `${played.lives.length} lives, ${readings} readings told of, ${kinds.length} headers,` +
        ` ${interrupted} interrupted, ${played.answers} answers of /metrics,` +
        ` ${played.epochs.length - kinds.length} epochs heard again`,
    )
    assert.equal(played.lives.length, kills + 1)
    assert.ok(interrupted >= kills / 2, `only ${interrupted} epochs were cut short`)
    assert.ok(played.answers >= kills, `/metrics answered ${played.answers} times`)
  })

  test('uses no number twice, and its chains verify without a hole', () => {
    assert.deepEqual(opened.wrong, [])
    assert.deepEqual(brokenChains(opened.epochs), [])
    assert.deepEqual(mixedOffers(played.offers), [])
  })

  test('loses no reading that it told of, and seals none twice', () => {
    assert.deepEqual(lostReadings(played.lives, opened.epochs), [])
    assert.deepEqual(repeatedReadings(opened.epochs, serial), [])
  })

  test('sealed every open message where it said, with the same values', () => {
    assert.ok(played.opens.length > kills, `${played.opens.length} open messages`)
    assert.deepEqual(strayOpens(played.opens, opened.epochs), [])
  })

  test('ends in order when it is asked to', () => {
    assert.equal(played.device.code, 0)
    assert.equal(played.device.unsent, 0)
  })

  test('gave its buyer all that it paid for, once', { skip: noChain }, () => {
    const { lines, codes, summary } = played.money as Money
    assert.deepEqual(codes, { buyer: 0, operator: 0 })
    assert.deepEqual(summary.findings, {})
    assert.equal(summary.counts.bought, summary.counts.opened)
    assert.equal(summary.counts.gap, 0)
    assert.equal(summary.counts.readings, lines.length)
    assert.deepEqual(strayLines(lines, opened.epochs), [])
    assert.deepEqual(skippedEpochs(lines, opened.epochs), [])
  })

  test('has the same books as its buyer, and the chain paid them', { skip: noChain }, async (t) => {
    const { lines, summary, balances } = played.money as Money
    const { promised, price, deposited } = summary.money
    const read = new Set(lines.map(({ stream, epoch }) => `${stream}/${epoch}`))
    const owed = await priceOf(stage.world.files.device, opened.epochs, read)
    t.diagnostic(`${summary.counts.bought} epochs bought for ${promised}`)
    assert.equal(summary.counts.opened, read.size)
    assert.equal(String(owed), price)
    assert.equal(promised, price)
    assert.deepEqual([played.device.sale.promised, played.device.sale.delivered], [price, price])
    assert.deepEqual(balances, {
      buyer: purse - BigInt(deposited),
      payee: BigInt(price),
      contract: BigInt(deposited) - BigInt(price),
    })
  })
})

/** What the epochs cost by their headers and the device's own config, floor on the sum of each stream. */
async function priceOf(file: string, epochs: Epochs, read: ReadonlySet<string>): Promise<bigint> {
  const { sensors } = JSON.parse(await readFile(file, 'utf8')) as {
    sensors: { name: string; price: { amount: string; per: string } }[]
  }
  return sold.reduce((sum, stream) => {
    const { price } = sensors.find(({ name }) => name === stream) ?? {}
    assert.equal(price?.per, '1h')
    const amount = BigInt(Math.round(Number(price?.amount) * 1e6))
    let coveredMs = 0n
    for (const [name, { message }] of epochs) {
      const { header } = message
      if (header.stream !== stream || !read.has(name)) continue
      const ms = header.closedMonotonicMs - header.openedMonotonicMs
      coveredMs += BigInt(Math.min(ms, epochMs))
    }
    return sum + due(coveredMs, { amount, perMs: 3_600_000n })
  }, 0n)
}
