/**
 * What stands behind a stream: the setup that its headers name by hash, and the signed document with that
 * hash, when it is at hand. Who is told of a change knows that another sensor, calibration, place or driver
 * speaks from that epoch on; a later run knows it too, since the books keep where the last one ended.
 */
import type { Database } from '../disk/sqlite.ts'
import { type Hex, hex } from '../wire/bytes.ts'
import { type Json, jcs } from '../wire/jcs.ts'
import { readSetup, type Setup } from '../wire/setup.ts'
import type { Books } from './books.ts'
import type { Meter } from './bought.ts'
import type { Listing } from './market.ts'
import type { Tally } from './tally.ts'

type Stream = Pick<Meter, 'device' | 'stream'>

/** The setup of the last epoch of readings that was followed; the document as it came, once it did. */
export type SetupRow = Stream & { readonly hash: Hex; readonly document?: Uint8Array }

/** One row a stream. */
export function setupTable(db: Database) {
  db.exec(`CREATE TABLE IF NOT EXISTS setup (
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    hash TEXT NOT NULL,
    document BLOB,
    PRIMARY KEY (device, stream)
  ) STRICT, WITHOUT ROWID`)
  const put = db.prepare('INSERT OR REPLACE INTO setup VALUES (?, ?, ?, ?)')
  const get = db.prepare('SELECT * FROM setup WHERE device = ? AND stream = ?')

  return {
    put({ device, stream, hash, document = undefined }: SetupRow): void {
      put.run(device, stream, hash, document ?? null)
    },
    get({ device, stream }: Stream): SetupRow | undefined {
      const row = get.get(device, stream) as Stored | undefined
      if (row === undefined) return undefined
      const document = row.document === null ? {} : { document: new Uint8Array(row.document) }
      return { device, stream, hash: row.hash, ...document }
    },
  }
}

type Stored = { readonly hash: Hex; readonly document: Uint8Array | null }

/** What follows the setup of one stream. */
export type SetupWatch = {
  /** Takes the document that is retained for the stream. Throws Malformed. */
  hear(payload: Uint8Array): void
  /** Takes what an epoch of readings names, in the order of the chain. */
  passed(number: number, hash: Uint8Array): void
}

export type SetupOptions = {
  readonly books: Books
  readonly of: Stream
  readonly signingKey: Listing['offer']['signingKey']
  readonly tally: Pick<Tally, 'note' | 'finding'>
  /** A later run goes on behind this one: what it is compared with is kept. */
  readonly keeps: boolean
}

type Heard = { readonly hash: Hex; readonly setup: Setup; readonly document: Uint8Array }

export function openSetups({ books, of, signingKey, tally, keeps }: SetupOptions): SetupWatch {
  const { device, stream } = of
  let heard: Heard | undefined
  let current = books.setups.get(of)

  function take(row: SetupRow): void {
    current = row
    if (keeps) books.soon(() => books.setups.put(row))
  }

  return {
    hear(payload) {
      const { setup, signer, hash } = readSetup(payload)
      if (signer !== signingKey || setup.device !== device || setup.stream !== stream) {
        tally.finding('wrong signature', { device, stream, why: 'of a setup' })
        return
      }
      if (heard !== undefined && setup.version <= heard.setup.version) return
      heard = { hash: hex(hash), setup, document: payload.slice() }
      if (current?.hash === heard.hash && current.document === undefined) take({ ...of, ...heard })
    },
    passed(number, named) {
      const hash = hex(named)
      if (hash === current?.hash) return
      const at = heard?.hash === hash ? heard : undefined
      const before = current?.document && readSetup(current.document).setup
      const members = before && at && differing(before, at.setup)
      const told = {
        device,
        stream,
        number,
        hash,
        ...(at === undefined ? {} : { setup: at.setup }),
      }
      if (current === undefined) tally.note({ event: 'setup', ...told })
      else tally.note({ event: 'setup changed', ...told, ...(members ? { members } : {}) })
      take({ ...of, hash, ...(at === undefined ? {} : { document: at.document }) })
    },
  }
}

/** The members that are not the same in both, `sensor.calibration`; the version, which only counts, aside. */
function differing(before: Setup, after: Setup): string[] {
  const [was, is] = [flat(before as Json), flat(after as Json)]
  const names = new Set([...was.keys(), ...is.keys()])
  names.delete('version')
  return [...names].filter((name) => was.get(name) !== is.get(name)).sort()
}

function flat(value: Json, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map([[path, hex(jcs(value))]])
  }
  const members = Object.entries(value as { readonly [name: string]: Json })
  return new Map(
    members.flatMap(([name, one]) => [...flat(one, path === '' ? name : `${path}.${name}`)]),
  )
}
