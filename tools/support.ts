/**
 * The table of sensors in the README: what is read, by which check, and what that was tried on.
 *
 * The last column counts what lies under test/captures/<driver>: cases (bytes with what others say is in
 * them), recordings (bytes alone), and the projects that published them. A live peer is another
 * implementation that a test talks to; it stands here by hand, beside the test that does.
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
  return ['| driver | reads | check | tested on |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function tested(id: string): string {
  const peers = livePeers[id]
  const words = [counted(join(captures, id)), peers === undefined ? '' : `live: ${peers}`]
  return words.filter((some) => some !== '').join('; ') || 'examples of our own only'
}

/** What lies in the folder of a family, in words. */
function counted(folder: string): string {
  if (!existsSync(folder)) return ''
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const cases = files
    .filter((name) => /^cases.*\.json$/.test(name))
    .flatMap((name) => Object.values(JSON.parse(readFileSync(join(folder, name), 'utf8'))))
  const recordings = files.filter((name) => /\.(log|bin|dump|txt|hex|raw)$/.test(name))
  const about = files.filter((name) => name === 'SOURCE.txt')
  const projects = new Set(
    about
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').match(/^source:.*$/gm) ?? [])
      .map((line) => line.replace(/^source:\s*/, '')),
  )
  const bytes = recordings.length - about.length
  const amounts = [
    ...(cases.length > 0 ? [count(cases.length, 'case')] : []),
    ...(bytes > 0 ? [count(bytes, 'recording')] : []),
  ].join(', ')
  return projects.size > 0 ? `${amounts} of ${count(projects.size, 'project')}` : amounts
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
