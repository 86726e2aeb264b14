/** The honest buyer beside a cheat: the product's own, in this process, so that all that it notes is at hand. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { randomBytes } from '#crypto'
import {
  type Buyer,
  type BuyerOptions,
  type BuyNote,
  type Item,
  openBuyer,
} from '../../../runtime/buyer/index.ts'
import type { Line } from '../../../runtime/buyer/session.ts'
import type { SessionRow } from '../../../runtime/buyer/sessions.ts'
import { openChain } from '../../../runtime/link/chain.ts'
import type { Address } from '../../../runtime/wire/address.ts'
import { type ChannelConfig, decodeChannelConfig } from '../../../runtime/wire/channel.ts'
import { localSigner, type Signer } from '../../../runtime/wire/signer.ts'
import { lookInto } from '../../disk/look.ts'
import { serial } from '../stall.ts'
import { type Street, until } from '../street.ts'
import { deposited, lineOf } from './sale.ts'

export type Honest = Buyer & {
  /** With both of them another run goes on in its books. */
  readonly signer: Signer
  readonly folder: string
  readonly notes: readonly BuyNote[]
  /** What was handed out so far. */
  readonly items: readonly Item[]
  /** Waits for so many more readings. */
  more(count: number): Promise<void>
  /**
   * Ends in order. Every reading came, once, in its order, but for what `missing` allows; what was
   * promised is what its headers cost. Returns what was promised.
   */
  done(missing?: 'some'): Promise<bigint>
  /** How often a finding was made. */
  found(finding: string): number
  /** The one channel that it opened. */
  channel(): ChannelConfig
  /** Its end of the session with that seller, as who steals its books would have it. */
  stolen(seller: Address): SessionRow
}

export type HonestOptions = Partial<BuyerOptions> & { readonly line?: Line }

/** Buys the stream `air` of every device of the street, with a fresh key and a tenth of its purse at hand. */
export async function openHonest(street: Street, options: HonestOptions = {}): Promise<Honest> {
  const { line = await lineOf(street, 'honest'), ...more } = options
  const signer = options.signer ?? localSigner(randomBytes(32))
  const { chain } = street
  await chain.mint(signer.address, deposited)
  await chain.fund(signer.address, 10n ** 18n)
  const folder = options.folder ?? join(street.folder, `honest-${signer.address}`)
  const notes: BuyNote[] = []
  const buyer = await openBuyer({
    broker: line,
    folder,
    signer,
    wanted: { devices: street.stalls.map(({ device }) => device), streams: ['air'] },
    budget: '1',
    chain: ({ chainId, settlement }) =>
      openChain({
        ...{ rpcs: [chain.rpc], chainId, settlement, sender: signer },
        limits: { pollMs: 50 },
      }),
    note: (note) => void notes.push(note),
    limits: quick,
    ...more,
  })
  street.end.add(buyer.close)
  const items: Item[] = []
  const read = (async () => {
    for await (const item of buyer.readings()) items.push(item)
  })()
  read.catch(() => {})
  const found = (finding: string) => buyer.summary().findings[finding] ?? 0
  return {
    ...buyer,
    ...{ signer, folder, notes, items, found },
    async more(count) {
      const wanted = items.length + count
      await until(() => items.length >= wanted, `${count} more readings: ${told(notes)}`)
    },
    async done(missing) {
      buyer.stop()
      await read
      await buyer.close()
      if (missing === undefined) inOrder(street, items)
      const { money, counts } = buyer.summary()
      assert.equal(counts.opened, counts.bought, told(notes))
      assert.equal(money?.promised, money?.price)
      return money?.promisedTotal ?? 0n
    },
    channel: () => channelIn(join(folder, 'buyer.db')),
    stolen: (seller) => sessionIn(join(folder, 'buyer.db'), seller),
  }
}

/** As in life, but a buyer of the tests asks again sooner. */
const quick = {
  discoverMs: 300,
  gapMs: 100,
  askMs: 500,
  retryMs: 200,
  undeliveredMs: 1_500,
  endMs: 3_000,
}

/** The frames are numbered: none is left out, none comes twice. */
export function inOrder(street: Street, items: readonly Item[]): void {
  for (const { device } of street.stalls) {
    const own = items.filter((item) => item.device === device)
    const numbers = own.map(({ reading }) => Number(reading.values[serial]))
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => (numbers[0] ?? 0) + i),
    )
  }
}

function told(notes: readonly BuyNote[]): string {
  return JSON.stringify(notes.slice(-40), (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
}

function sessionIn(path: string, seller: Address): SessionRow {
  return lookInto(path, (db) => {
    const row = db.prepare('SELECT * FROM session WHERE seller = ?').get(seller)
    assert.ok(row)
    const { channel, terms, until_ms: untilMs, message, id, ask, answer, keys } = row as Row
    return { seller, channel, terms, untilMs, message, keys: { id, ask, answer, keys } } as never
  })
}

function channelIn(path: string): ChannelConfig {
  return lookInto(path, (db) => {
    const row = db.prepare('SELECT config FROM channel').get() as { config: Uint8Array } | undefined
    assert.ok(row)
    return decodeChannelConfig(new Uint8Array(row.config))
  })
}

type Row = Readonly<Record<string, unknown>>
