/**
 * A line of text as cells: CSV, and pairs of key and value. Nothing is understood here.
 *
 *   CSV      23.5,40.2      23,5;40,2      "23,5",40      t h p between tabs or spaces
 *   pairs    t=23.5,h=40    Temp: 23.5 C  Hum: 40 %     t:23,5;h:40,1
 *
 * Double quotes hold a cell together, and stand twice for one of them (RFC 4180). In pairs a comma between
 * two digits never parts: keys begin with a letter.
 */
export type Separator = 'auto' | 'comma' | 'semicolon' | 'tab' | 'bar' | 'space'
export type Decimal = 'auto' | 'point' | 'comma'

const marks = { semicolon: ';', tab: '\t', bar: '|', comma: ',', space: ' ' } as const

/** The cells of a line of CSV, without the blanks around them. */
export function csvCells(line: string, separator: Separator, decimal: Decimal): string[] {
  const mark = separator === 'auto' ? likeliest(line, decimal) : marks[separator]
  // Several spaces are one; several commas have nothing between them.
  const text = mark === ' ' ? line.trim() : line
  return split(text, (at) => {
    if (text[at] !== mark) return 0
    return mark === ' ' ? run(text, at) : 1
  })
}

/** What stands between the cells: of the marks that are there, the one that is least often a decimal comma. */
function likeliest(line: string, decimal: Decimal): string {
  const possible = [';', '\t', '|', ...(decimal === 'comma' ? [] : [','])]
  return possible.find((mark) => line.includes(mark)) ?? ' '
}

/** Key and value, in their order; what is no pair is left out. */
export function pairsOf(line: string, separator: Separator): [string, string][] {
  const mark = separator === 'auto' ? undefined : marks[separator]
  const parts = (at: number) => {
    const letter = line[at] ?? ''
    if (letter === ' ') return mark === ' ' || run(line, at) > 1 ? run(line, at) : 0
    if (letter === ',' && isDigit(line[at - 1]) && isDigit(line[at + 1])) return 0
    return (mark === undefined ? ',;|\t'.includes(letter) : letter === mark) ? 1 : 0
  }
  return split(line, parts).flatMap(pairsIn)
}

/** Pairs with one space between them: each key behind the first is one word. */
function pairsIn(cell: string): [string, string][] {
  const found = [...cell.matchAll(/(?<=^|\s)([A-Za-z_][\w.()%/-]*)\s?[=:]\s*/g)]
  return found.map((one, i) => {
    const [all, word = ''] = one
    const before = i === 0 ? cell.slice(0, one.index) : ''
    const key = /^(?:[A-Za-z_][\w.()%/-]* )+$/.test(before) ? before + word : word
    const value = cell.slice(one.index + all.length, found[i + 1]?.index)
    return [key, unquoted(value.trim())]
  })
}

/** Parts a line where `parts` says how many letters part it, but never inside quotes. */
function split(line: string, parts: (at: number) => number): string[] {
  const cells: string[] = []
  let from = 0
  let blank = true
  for (let at = 0; at < line.length; at += 1) {
    if (blank && line[at] === '"') {
      at = closing(line, at)
      blank = false
      continue
    }
    const size = parts(at)
    if (size === 0) {
      blank = blank && line[at] === ' '
      continue
    }
    cells.push(unquoted(line.slice(from, at).trim()))
    at += size - 1
    from = at + 1
    blank = true
  }
  return [...cells, unquoted(line.slice(from).trim())]
}

/** Where the quote that opens here is closed; the end of the line when it is not. */
function closing(line: string, opened: number): number {
  for (let at = opened + 1; at < line.length; at += 1) {
    if (line[at] !== '"') continue
    if (line[at + 1] !== '"') return at
    at += 1
  }
  return line.length
}

function unquoted(cell: string): string {
  const [, inside] = /^"(.*)"$/.exec(cell) ?? []
  return inside === undefined ? cell : inside.replaceAll('""', '"')
}

function run(line: string, from: number): number {
  let at = from
  while (line[at] === ' ') at += 1
  return at - from
}

function isDigit(letter: string | undefined): boolean {
  return letter !== undefined && letter >= '0' && letter <= '9'
}
