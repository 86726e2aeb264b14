/** Ten buyers on one device over a bad radio. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addressOf, randomBytes } from '#crypto'
import { openSecret } from '../../../runtime/disk/secret.ts'
import { openChain } from '../../../runtime/link/chain.ts'
import { decodeOrder } from '../../../runtime/wire/order.ts'
import { lookInto } from '../../disk/look.ts'
import type { Came, Ended, Plan } from '../crowd.ts'
import { journey } from '../journey.ts'
import type { Loss } from '../loss.ts'
import { counted, type Stall } from '../stall.ts'
import { type Street, until } from '../street.ts'

const buyersCount = 10
/** A line that fell may be looked for again only after a minute. */
const calmMs = 150_000

export const lossy = journey({
  name: 'ten buyers over a lossy line',
  says: 'ten buyers, the device and the desk on a bad line: promised, delivered, claimed and opened agree for each',
  street: {
    loss: true,
    sayEveryMs: 200,
    exposure: '1',
    settings: { epoch: { age: '1s' } },
  },
  withinS: 360,
  longWithinS: 1_200,
  async run(street, t) {
    const loss = street.loss as Loss
    t.diagnostic(`LOSS_SEED=${loss.seed}`)
    const stall = street.stalls[0] as Stall
    await stall.open()
    const operator = await street.operate()
    const crowd = await startCrowd(street)
    await until(() => crowd.slowest() > 0, 'all ten have read something', calmMs)
    await sleep(t.long ? 600_000 : 60_000)

    loss.calm()
    const said = stall.said('air')
    await until(() => crowd.slowest() > said, 'all ten have read all that was said', calmMs)
    const buyers = await crowd.stop()
    const promised = buyers.reduce(
      (all, { summary }) => all + (summary.money?.promisedTotal ?? 0n),
      0n,
    )
    const settled = async () => (await stall.sale()).acknowledged === promised
    await until(settled, 'everything is acknowledged', calmMs)
    operator.signal('SIGTERM')
    assert.equal(await operator.ended, 0, operator.words())

    await agreed(street, buyers)
    assert.equal(await street.chain.balanceOf(street.people.receiver.address), promised)
    const { lines, resets, halfOpen, stalls } = loss.counts()
    assert.ok(resets + halfOpen >= buyersCount / 2, 'the line was too good')
    const readings = buyers.reduce((all, { numbers }) => all + numbers.length, 0)
    t.diagnostic(`${readings} readings, ${promised} units`)
    t.diagnostic(`${lines} lines, ${resets} reset, ${halfOpen} half open, ${stalls} stalls`)
  },
})

/** Four figures for each buyer, to the unit; and no number missing or twice. */
async function agreed(street: Street, buyers: readonly Ended[]): Promise<void> {
  const books = booksOf(`${street.folder}/device0/store.sqlite`)
  const { rpc, chainId, settlement } = street.chain
  const chain = await openChain({ rpcs: [rpc], chainId, settlement })
  try {
    for (const { summary, numbers } of buyers) {
      const { money, counts, findings } = summary
      const { promised, delivered, config } = books.get(money?.channel ?? '') ?? assert.fail()
      const claimed = (await chain.state(config)).totalClaimed
      assert.deepEqual(findings, {})
      assert.deepEqual(numbers, counted(numbers[0], numbers.length))
      assert.equal(counts.opened, counts.bought)
      // What was opened, by the headers of it.
      const opened = money?.price
      const figures = { promised: money?.promisedTotal, delivered, claimed, opened }
      assert.deepEqual(figures, {
        promised,
        delivered: promised,
        claimed: promised,
        opened: promised,
      })
    }
  } finally {
    chain.close()
  }
}

/** What the device keeps of each channel. */
function booksOf(path: string) {
  return lookInto(path, (db) => {
    const rows = db
      .prepare('SELECT channel, order_document, promised, delivered FROM sale_channel')
      .all() as Readonly<Record<string, unknown>>[]
    return new Map(
      rows.map((row) => {
        const { config } = decodeOrder(row.order_document as Uint8Array)
        if (config === undefined) throw new Error('own data has no channel')
        const [promised, delivered] = [BigInt(String(row.promised)), BigInt(String(row.delivered))]
        return [String(row.channel), { promised, delivered, config }]
      }),
    )
  })
}

/** Gives each of them a key and tokens, and lets them buy. */
async function startCrowd(street: Street) {
  const { folder, chain, end, broker, stalls } = street
  const buyers: Plan['buyers'][number][] = []
  for (let i = 0; i < buyersCount; i += 1) {
    const key = join(folder, `buyer${i}.key`)
    const address = addressOf(await openSecret(key, randomBytes))
    await chain.mint(address, 2_000_000n)
    await chain.fund(address, 10n ** 18n)
    buyers.push({ key, folder: join(folder, `books${i}`) })
  }
  const { device } = stalls[0] as Stall
  const common = { rpc: chain.rpc, device, stream: 'air', budget: '1' }
  const plan: Plan = { line: await broker.line('buyer'), ...common, buyers }
  const script = fileURLToPath(new URL('../crowd.ts', import.meta.url))
  const child = fork(script, [JSON.stringify(plan)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let words = ''
  child.stderr?.on('data', (piece) => {
    words += piece
  })
  const closed = once(child, 'close')
  end.add(async () => {
    child.kill('SIGKILL')
    await closed
  })
  let last: readonly number[] = []
  const { promise: ended, resolve, reject } = Promise.withResolvers<readonly Ended[]>()
  ended.catch(() => {})
  child.on('message', (came: Came) => {
    if (came.kind === 'at') last = came.last
    else resolve(came.buyers)
  })
  void closed.then(() => reject(new Error(`the crowd is gone: ${words}`)))
  return {
    /** The last number of whoever is behind all others. */
    slowest() {
      if (child.exitCode !== null) throw new Error(`the crowd is gone: ${words}`)
      return last.length === 0 ? 0 : Math.min(...last)
    },
    stop() {
      child.send('stop')
      return ended
    },
  }
}
