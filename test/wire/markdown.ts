/** Reads what a test needs of a Markdown page: its tables, its fenced blocks, its sections. */
import { readFileSync } from 'node:fs'

export type Row = Readonly<Record<string, string>>

export function page(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

/** The part under the heading that ends so, down to the next heading of its level or above. */
export function section(text: string, heading: string): string {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.endsWith(heading))
  if (start === -1) throw new Error(`no section ${heading}`)
  const level = lines[start]?.match(/^#+/)?.[0].length ?? 0
  const after = lines.slice(start + 1)
  const end = after.findIndex((line) => (/^#+ /.exec(line)?.[0].length ?? 99) - 1 <= level)
  return after.slice(0, end === -1 ? undefined : end).join('\n')
}

/** The rows of the first table that has exactly these columns, without the backticks around cells. */
export function table(text: string, ...columns: readonly string[]): Row[] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => cells(line).join('|') === columns.join('|'))
  if (start === -1) throw new Error(`no table ${columns.join(', ')}`)
  const rows = lines.slice(start + 2)
  const end = rows.findIndex((line) => !line.startsWith('|'))
  return rows.slice(0, end === -1 ? undefined : end).map((line) => {
    const row = cells(line)
    return Object.fromEntries(
      columns.map((name, i) => [name, (row[i] ?? '').replace(/^`(.*)`$/, '$1')]),
    )
  })
}

/** The fenced blocks of that language. */
export function fenced(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return [...blocks].map(([, block = '']) => block)
}

function cells(line: string): string[] {
  if (!line.startsWith('|')) return []
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim())
}
