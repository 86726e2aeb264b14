import type { Database } from '../disk/sqlite.ts'
import type { Outgoing, Version } from '../link/outgoing.ts'
import type { Address } from '../wire/address.ts'
import type { Hex } from '../wire/bytes.ts'

/** A claim from its signing until it is k blocks deep. */
export type SentClaim = {
  /** Its place among those on their way: a later one has a higher. */
  readonly number: number
  /** Whose nonce it takes. */
  readonly sender: Address
  readonly receiver: Address
  readonly token: Address
  /** What it brings, in the token's smallest unit. */
  readonly value: bigint
  /** By channel: the total that it claims. */
  readonly totals: ReadonlyMap<Hex, bigint>
  readonly outgoing: Outgoing
  /** Gateway time of its first version and of its newest, ms since 1970. */
  readonly sinceMs: number
  readonly versionMs: number
}

export type ClaimTable = ReturnType<typeof claimTable>

/** Claims on their way. The settler owns every number; amounts are decimal text, since they pass 2^63. */
export function claimTable(db: Database) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS claim (
      number INTEGER PRIMARY KEY, sender TEXT NOT NULL, receiver TEXT NOT NULL, token TEXT NOT NULL,
      value TEXT NOT NULL, target TEXT NOT NULL, data TEXT NOT NULL, gas TEXT NOT NULL,
      since INTEGER NOT NULL, newest INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS claim_total (
      number INTEGER NOT NULL, channel TEXT NOT NULL, total TEXT NOT NULL,
      PRIMARY KEY (number, channel)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS claim_version (
      number INTEGER NOT NULL, place INTEGER NOT NULL, hash TEXT NOT NULL, raw TEXT NOT NULL,
      nonce INTEGER NOT NULL, maxFee TEXT NOT NULL, tip TEXT,
      PRIMARY KEY (number, place)) STRICT, WITHOUT ROWID`)
  const putClaim = db.prepare(
    `INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (number) DO UPDATE SET newest = excluded.newest`,
  )
  const putTotal = db.prepare('INSERT OR IGNORE INTO claim_total VALUES (?, ?, ?)')
  const putVersion = db.prepare('INSERT OR IGNORE INTO claim_version VALUES (?, ?, ?, ?, ?, ?, ?)')
  const drops = ['claim', 'claim_total', 'claim_version'].map((table) =>
    db.prepare<[number]>(`DELETE FROM ${table} WHERE number = ?`),
  )
  const rows = db.prepare<[], ClaimRow>('SELECT * FROM claim ORDER BY number')
  const totals = db.prepare<[number], TotalRow>('SELECT * FROM claim_total WHERE number = ?')
  const versions = db.prepare<[number], VersionRow>(
    'SELECT * FROM claim_version WHERE number = ? ORDER BY place',
  )

  return {
    put(claim: SentClaim): void {
      const { number, sender, receiver, token, value, outgoing, sinceMs, versionMs } = claim
      const { to, data, gasLimit } = outgoing
      const row = [number, sender, receiver, token, `${value}`, to, data, `${gasLimit}`]
      putClaim.run(...row, sinceMs, versionMs)
      for (const [channel, total] of claim.totals) putTotal.run(number, channel, `${total}`)
      for (const [place, { hash, raw, nonce, price }] of outgoing.versions.entries()) {
        const { maxFee, tip } = price
        putVersion.run(
          number,
          place,
          hash,
          raw,
          nonce,
          `${maxFee}`,
          tip === undefined ? null : `${tip}`,
        )
      }
    },
    drop(number: number): void {
      for (const drop of drops) drop.run(number)
    },
    all: (): SentClaim[] =>
      rows.all().map((row) => claimOf(row, totals.all(row.number), versions.all(row.number))),
  }
}

type ClaimRow = {
  number: number
  sender: Address
  receiver: Address
  token: Address
  value: string
  target: Address
  data: Hex
  gas: string
  since: number
  newest: number
}
type TotalRow = { channel: Hex; total: string }
type VersionRow = { hash: Hex; raw: Hex; nonce: number; maxFee: string; tip: string | null }

function claimOf(row: ClaimRow, totals: TotalRow[], versions: VersionRow[]): SentClaim {
  const { number, sender, receiver, token, target: to, data } = row
  return {
    ...{ number, sender, receiver, token },
    value: BigInt(row.value),
    totals: new Map(totals.map(({ channel, total }) => [channel, BigInt(total)])),
    outgoing: { to, data, gasLimit: BigInt(row.gas), versions: versions.map(versionOf) },
    sinceMs: row.since,
    versionMs: row.newest,
  }
}

function versionOf({ hash, raw, nonce, maxFee, tip }: VersionRow): Version {
  const price = { maxFee: BigInt(maxFee), ...(tip === null ? {} : { tip: BigInt(tip) }) }
  return { hash, raw, nonce, price }
}
