/**
 * The table of sensors in the README: what is read, by which check, and what that was tried on.
 *
 * The last column counts the rows of test/captures/<driver>/*map.json, which say of every case (bytes with
 * what others say is in them) what it becomes, and are held to it by the tests: read, doubted, or unknown
 * (sound, and of a kind that the driver does not read). What is out of scope, such as a command to the
 * sensor, counts as nothing. Sources are those that SOURCE.txt names.
 * A live peer is another implementation that a test talks to; it stands here by hand, beside that test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Driver } from '../runtime/sense/driver.ts'

const captures = fileURLToPath(new URL('../test/captures/', import.meta.url))

/** test/sense/modbus.test.ts and test/peers.test.ts. */
const livePeers: Readonly<Record<string, string>> = { modbus: 'libmodbus, pymodbus, mbpoll' }

/** The README with this table in the place of the one that it has. */
export function readmePage(page: string, drivers: readonly Driver[]): string {
  const [before, after] = [page.indexOf(begins), page.indexOf(ends)]
  if (before < 0 || after < before) throw new Error('the README has no place for the table')
  return `${page.slice(0, before + begins.length)}\n${supportTable(drivers)}\n${page.slice(after)}`
}

const begins = '<!-- drivers: npm run docs -->'
const ends = '<!-- end of drivers -->'

function supportTable(drivers: readonly Driver[]): string {
  const rows = drivers.map((driver) => {
    const { id, title, check = 'none: `unchecked`' } = driver
    return `| \`${id}\` | ${title} | ${check} | ${tested(id)} |`
  })
  return ['| driver | reads | check | tried on |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function tested(id: string): string {
  const peers = livePeers[id]
  const words = [counted(join(captures, id)), peers === undefined ? '' : `live: ${peers}`]
  return words.filter((some) => some !== '').join('; ') || 'examples of our own only'
}

/** What became of the cases of a family, in words; empty where it has none. */
function counted(folder: string): string {
  if (!existsSync(folder)) return ''
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const texts = (wanted: (name: string) => boolean) =>
    files.filter(wanted).map((name) => readFileSync(join(folder, name), 'utf8'))
  const rows = texts((name) => /map\.json$/.test(name)).flatMap((text) =>
    Object.values(JSON.parse(text) as Readonly<Record<string, Row>>),
  )
  const read = rows.filter(({ values, first }) => (values ?? first) !== undefined).length
  const doubts = rows.flatMap(({ doubt }) => (doubt === undefined ? [] : [doubt]))
  const unknown = doubts.filter((doubt) => doubt.startsWith('unknown ')).length
  const doubted = doubts.length - unknown
  const sources = texts((name) => name.endsWith('SOURCE.txt'))
    .flatMap((text) => text.match(/^source:.*$/gm) ?? [])
    .map((line) => line.replace(/^source:\s*/, ''))
  if (read + doubts.length === 0) return ''
  return [
    count(read, 'case read', 'cases read'),
    ...(doubted > 0 ? [`${doubted} doubted`] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    `of ${count(new Set(sources).size, 'source', 'sources')}`,
  ].join(', ')
}

/** Of a map.json, what tells whether something was read; `doubt` is why nothing was. */
type Row = { readonly values?: object; readonly first?: object; readonly doubt?: string }

function count(n: number, one: string, more: string): string {
  return `${n} ${n === 1 ? one : more}`
}
