/**
 * The gateway's durable memory, one SQLite file. What stands here was decided; nothing is signed or
 * sent that rests on more than stands here. Throws STORE_FAILED, and the gateway stops, when the
 * disk gives out.
 *
 * Amounts and periods are decimal text, since they pass 2^63.
 */
import { type Database, openDatabase } from '../disk/sqlite.ts'
import { fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'
import { decodeChannelConfig, encodeChannelConfig } from '../wire/channel.ts'
import type { SessionKeys } from '../wire/session.ts'
import { decodeVoucher, encodeVoucher } from '../wire/voucher.ts'
import type { Channel, Ending, Member } from './channel.ts'
import { type ClaimTable, claimTable, type SentClaim } from './claimtable.ts'

export type Ledger = {
  /** Every channel there is, as last saved. */
  channels(): Channel[]
  sessions(): Session[]
  /** Claims that are on their way, oldest first. */
  claims(): SentClaim[]
  /** Version of the last offer that was published; 0 when none was. */
  offerVersion(): number
  /** Every retained topic that was ever published and not cleared. */
  notices(): string[]
  /** All of it in one durable commit, or none. */
  save(change: Change): void
  close(): void
}

export type Change = {
  /**
   * The channel now, and what was saved of it before, so that only members that changed are
   * written.
   */
  readonly channels?: readonly { readonly before?: Channel | undefined; readonly now: Channel }[]
  /** A claim that is about to be sent, or was changed; and the number of one that is done with. */
  readonly claim?: SentClaim
  readonly done?: number
  readonly session?: Session
  /** The name of a session that is over. */
  readonly over?: string
  readonly offerVersion?: number
  /** A retained topic that is about to be published, or one that was cleared. */
  readonly notice?: string
  readonly cleared?: string
}

/** One buyer's encrypted line to the gateway. */
export type Session = {
  /** 32 hex digits, as in topics. */
  readonly name: string
  readonly channel: Hex
  readonly keys: SessionKeys
}

/** Opens or makes the file. */
export function openLedger(path: string): Ledger {
  const db = openDatabase(path)
  const found = Number(db.pragma('user_version', { simple: true }))
  if (found > schema) {
    db.close()
    throw fault('STORE_NEWER', { path, found, known: schema })
  }
  db.exec(tables)
  if (found === 1) db.exec('ALTER TABLE channel ADD COLUMN withdrawable INTEGER')
  if (found === 1 || found === 2) db.exec('ALTER TABLE member ADD COLUMN taken TEXT')
  const claims = claimTable(db)
  db.pragma(`user_version = ${schema}`)
  const members = db.prepare<[string], MemberRow>(
    'SELECT * FROM member WHERE channel = ? ORDER BY place',
  )
  const splits = db.prepare<[string], SplitRow>('SELECT * FROM split WHERE channel = ?')
  return {
    channels: () =>
      db
        .prepare<[], ChannelRow>('SELECT * FROM channel')
        .all()
        .map((row) => channelOf(row, members.all(row.id), splits.all(row.id))),
    claims: claims.all,
    sessions: () => db.prepare<[], SessionRow>('SELECT * FROM session').all().map(sessionOf),
    offerVersion: () =>
      db.prepare<[], { version: number }>('SELECT version FROM offer').get()?.version ?? 0,
    notices: () =>
      db
        .prepare<[], { topic: string }>('SELECT topic FROM notice')
        .all()
        .map(({ topic }) => topic),
    save: saver(db, path, claims),
    close: () => db.close(),
  }
}

/** Of the tables below; a later version reads every earlier one. */
const schema = 3

function saver(db: Database, path: string, claims: ClaimTable): (change: Change) => void {
  const saveChannel = channelSaver(db)
  const putSession = db.prepare(
    `INSERT INTO session VALUES (@name, @channel, @id, @ask, @answer, @keys)
     ON CONFLICT (name) DO UPDATE SET channel = @channel, ask = @ask, answer = @answer, keys = @keys`,
  )
  const dropSession = db.prepare('DELETE FROM session WHERE name = ?')
  const putOffer = db.prepare('INSERT OR REPLACE INTO offer VALUES (1, ?)')
  const putNotice = db.prepare('INSERT OR IGNORE INTO notice VALUES (?)')
  const dropNotice = db.prepare('DELETE FROM notice WHERE topic = ?')
  const save = db.transaction((change: Change) => {
    for (const { now, before } of change.channels ?? []) saveChannel(now, before)
    if (change.claim !== undefined) claims.put(change.claim)
    if (change.done !== undefined) claims.drop(change.done)
    if (change.session !== undefined) putSession.run(sessionRow(change.session))
    if (change.over !== undefined) dropSession.run(change.over)
    if (change.offerVersion !== undefined) putOffer.run(change.offerVersion)
    if (change.notice !== undefined) putNotice.run(change.notice)
    if (change.cleared !== undefined) dropNotice.run(change.cleared)
  })
  return (change) => {
    try {
      save(change)
    } catch (cause) {
      throw fault('STORE_FAILED', { path, why: cause instanceof Error ? cause.message : '' }, cause)
    }
  }
}

function channelSaver(db: Database): (now: Channel, before: Channel | undefined) => void {
  const putChannel = db.prepare(
    `INSERT INTO channel VALUES (@id, @config, @chainId, @settlement, @balance, @claimed,
       @deposited, @withdrawing, @ended, @period, @root, @total, @timeMs, @voucher, @withdrawable)
     ON CONFLICT (id) DO UPDATE SET balance = @balance, claimed = @claimed,
       deposited = @deposited, withdrawing = @withdrawing, ended = @ended, period = @period, root = @root,
       total = @total, timeMs = @timeMs, voucher = @voucher, withdrawable = @withdrawable`,
  )
  const putMember = db.prepare(
    `INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel, place)
     DO UPDATE SET cap = excluded.cap, paid = excluded.paid, alone = excluded.alone,
       until = excluded.until, taken = excluded.taken`,
  )
  const putSplit = db.prepare('INSERT OR IGNORE INTO split VALUES (?, ?, ?)')
  const dropSplit = db.prepare('DELETE FROM split WHERE channel = ? AND period = ?')
  return (now, before) => {
    putChannel.run(channelRow(now))
    for (const [place, member] of now.members.entries()) {
      if (before?.members[place] === member) continue
      const { device, cap, paid = null, taken = null, alone, untilMs } = member
      const said = [text(cap), text(paid), alone ? 1 : 0, untilMs, text(taken)]
      putMember.run(now.id, place, device, ...said)
    }
    for (const [period, root] of now.splits) putSplit.run(now.id, text(period), root)
    for (const period of before?.splits.keys() ?? []) {
      if (!now.splits.has(period)) dropSplit.run(now.id, text(period))
    }
  }
}

/**
 * Balance, claimed, withdrawing: the chain owns them. Cap: this gateway. Paid, total: the buyer. Taken: the
 * device.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS channel (
    id TEXT PRIMARY KEY, config BLOB NOT NULL, chainId INTEGER NOT NULL, settlement TEXT NOT NULL,
    balance TEXT NOT NULL, claimed TEXT NOT NULL, deposited TEXT NOT NULL,
    withdrawing TEXT NOT NULL, ended TEXT,
    period TEXT NOT NULL, root TEXT NOT NULL, total TEXT NOT NULL, timeMs INTEGER NOT NULL,
    voucher BLOB, withdrawable INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS member (
    channel TEXT NOT NULL, place INTEGER NOT NULL, device TEXT NOT NULL, cap TEXT NOT NULL,
    paid TEXT, alone INTEGER NOT NULL, until INTEGER NOT NULL, taken TEXT,
    PRIMARY KEY (channel, place), UNIQUE (channel, device)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS split (
    channel TEXT NOT NULL, period TEXT NOT NULL, root TEXT NOT NULL,
    PRIMARY KEY (channel, period)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS session (
    name TEXT PRIMARY KEY, channel TEXT NOT NULL, id BLOB NOT NULL, ask BLOB NOT NULL,
    answer BLOB NOT NULL, keys BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS notice (topic TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS offer (one INTEGER PRIMARY KEY, version INTEGER NOT NULL) STRICT;
`

type ChannelRow = {
  id: Hex
  config: Uint8Array
  chainId: number
  settlement: Address
  balance: string
  claimed: string
  deposited: string
  withdrawing: string
  ended: Ending | null
  period: string
  root: Hex
  total: string
  timeMs: number
  voucher: Uint8Array | null
  withdrawable: number | null
}
type MemberRow = {
  device: Address
  cap: string
  paid: string | null
  alone: number
  until: number
  taken: string | null
}
type SplitRow = { period: string; root: Hex }
type SessionRow = { name: string; channel: Hex } & SessionKeys

function channelRow({ id, config, rail, acked, ...channel }: Channel): ChannelRow {
  return {
    id,
    config: encodeChannelConfig(config),
    ...rail,
    balance: text(channel.balance),
    claimed: text(channel.claimed),
    deposited: text(channel.deposited),
    withdrawing: text(channel.withdrawing),
    ended: channel.ended ?? null,
    period: text(acked.period),
    root: acked.root,
    total: text(acked.total),
    timeMs: acked.timeMs,
    voucher: channel.voucher === undefined ? null : encodeVoucher(channel.voucher),
    withdrawable: channel.withdrawableS ?? null,
  }
}

function channelOf(row: ChannelRow, members: MemberRow[], splits: SplitRow[]): Channel {
  return {
    id: row.id,
    config: decodeChannelConfig(row.config),
    rail: { chainId: row.chainId, settlement: row.settlement },
    balance: BigInt(row.balance),
    claimed: BigInt(row.claimed),
    deposited: BigInt(row.deposited),
    withdrawing: BigInt(row.withdrawing),
    ...(row.withdrawable === null ? {} : { withdrawableS: row.withdrawable }),
    ...(row.ended === null ? {} : { ended: row.ended }),
    members: members.map(memberOf),
    acked: {
      period: BigInt(row.period),
      root: row.root,
      total: BigInt(row.total),
      timeMs: row.timeMs,
    },
    splits: new Map(splits.map(({ period, root }) => [BigInt(period), root])),
    ...(row.voucher === null ? {} : { voucher: decodeVoucher(row.voucher) }),
  }
}

function memberOf({ device, cap, paid, alone, until, taken }: MemberRow): Member {
  return {
    device,
    cap: BigInt(cap),
    ...(paid === null ? {} : { paid: BigInt(paid) }),
    ...(taken === null ? {} : { taken: BigInt(taken) }),
    alone: alone === 1,
    untilMs: until,
  }
}

function sessionRow({ name, channel, keys }: Session): SessionRow {
  return { name, channel, ...keys }
}

function sessionOf({ name, channel, ...keys }: SessionRow): Session {
  return { name, channel, keys }
}

function text<T extends bigint | null>(value: T): T extends bigint ? string : string | null {
  return (value === null ? null : value.toString()) as T extends bigint ? string : string | null
}
