import type { Database } from '../disk/sqlite.ts'
import type { Address } from '../wire/address.ts'
import type { Offer } from '../wire/offer.ts'

/** The highest version of each offer that we bought under, by `<seller>/<signing key>`. */
export type Versions = ReadonlyMap<string, number>

export function versionName({ device, signingKey }: Pick<Offer, 'device' | 'signingKey'>): string {
  return `${device}/${signingKey}`
}

/**
 * Offers only grow. One of an earlier day, said again to who starts anew, may name a price that is gone or
 * a key that was given up because it leaked.
 */
export function versionTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS offer_version (
    seller TEXT NOT NULL,
    signing_key TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (seller, signing_key)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare(`INSERT INTO offer_version VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = max(version, excluded.version)`)
  const all = db.prepare('SELECT * FROM offer_version')

  return {
    all: (): Versions =>
      new Map(
        (all.all() as Stored[]).map(({ seller, signing_key: signingKey, version }) => [
          versionName({ device: seller, signingKey }),
          version,
        ]),
      ),
    saw({ device, signingKey, version }: Pick<Offer, 'device' | 'signingKey' | 'version'>): void {
      put.run(device, signingKey, version)
    },
  }
}

type Stored = {
  readonly seller: Address
  readonly signing_key: Address
  readonly version: number
}
