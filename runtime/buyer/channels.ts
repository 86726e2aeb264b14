import type { Database } from '../disk/sqlite.ts'
import type { Address } from '../wire/address.ts'
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import {
  type ChannelConfig,
  channelId,
  decodeChannelConfig,
  encodeChannelConfig,
  type Rail,
} from '../wire/channel.ts'

/** A channel of ours: its id, what it was opened with, and how far its orders and periods have come. */
export type ChannelRow = {
  readonly id: Hex
  readonly config: ChannelConfig
  readonly rail: Rail
  /** Number of the newest order; it grows before an order is signed. */
  readonly order: bigint
  /** Of the newest split; it grows with every change of a leaf, so no period has two trees. */
  readonly period: bigint
}

/** A device's place in a channel's payment tree, and what of it is spoken for. */
export type LeafRow = {
  readonly index: number
  readonly device: Address
  /** Running total that we have promised. */
  readonly amount: bigint
  /** Price of everything we know to be sold to us; the rest of the amount is paid ahead. */
  readonly spent: bigint
}

/**
 * Channels and the leaves of their payment trees. The purse owns every number here, and all only grow.
 * Amounts are decimal text: SQLite's integers end at 2^63.
 */
export function channelTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS channel (
    id TEXT PRIMARY KEY,
    config BLOB NOT NULL,
    chain_id INTEGER NOT NULL,
    settlement TEXT NOT NULL,
    order_number INTEGER NOT NULL,
    period INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS leaf (
    channel TEXT NOT NULL REFERENCES channel (id),
    place INTEGER NOT NULL,
    device TEXT NOT NULL,
    amount TEXT NOT NULL,
    spent TEXT NOT NULL,
    PRIMARY KEY (channel, place),
    UNIQUE (channel, device)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare(`INSERT INTO channel VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
    SET order_number = excluded.order_number, period = excluded.period`)
  const all = db.prepare('SELECT * FROM channel')
  const putLeaf = db.prepare(`INSERT INTO leaf VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (channel, place) DO UPDATE SET amount = excluded.amount, spent = excluded.spent`)
  const leaves = db.prepare(
    'SELECT place AS "index", device, amount, spent FROM leaf WHERE channel = ? ORDER BY place',
  )

  return {
    put({ id, config, rail, order, period }: ChannelRow): void {
      const { chainId, settlement } = rail
      put.run(id, encodeChannelConfig(config), chainId, settlement, order, period)
    },
    all: () => (all.all() as Stored[]).map(read),
    putLeaf(channel: Hex, { index, device, amount, spent }: LeafRow): void {
      putLeaf.run(channel, index, device, amount.toString(), spent.toString())
    },
    leaves: (channel: Hex): LeafRow[] =>
      (leaves.all(channel) as StoredLeaf[]).map(({ index, device, amount, spent }) => ({
        index,
        device,
        amount: BigInt(amount),
        spent: BigInt(spent),
      })),
  }
}

/** The row of a channel that is about to be opened. */
export function newChannel(config: ChannelConfig, rail: Rail): ChannelRow {
  return { id: hex(channelId(config, rail)), config, rail, order: 0n, period: 0n }
}

export function channelBytes({ id }: ChannelRow): Uint8Array {
  return unhex(id)
}

type Stored = {
  readonly id: Hex
  readonly config: Uint8Array
  readonly chain_id: number
  readonly settlement: Address
  readonly order_number: number
  readonly period: number
}
type StoredLeaf = {
  readonly index: number
  readonly device: Address
  readonly amount: string
  readonly spent: string
}

function read(row: Stored): ChannelRow {
  return {
    id: row.id,
    config: decodeChannelConfig(new Uint8Array(row.config)),
    rail: { chainId: row.chain_id, settlement: row.settlement },
    order: BigInt(row.order_number),
    period: BigInt(row.period),
  }
}
