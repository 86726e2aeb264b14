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

const plainNumber = /^[+-]?\d+(?:[.,]\d*)?(?:e[+-]?\d+)?$/i

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

/** Key and value, in their order; numbers behind a pair are `key.1`, `key.2`, and all else is left out. */
export function pairsOf(line: string, separator: Separator): [string, string][] {
  const mark = separator === 'auto' ? undefined : marks[separator]
  const parts = (at: number) => {
    const letter = line[at] ?? ''
    // Between a key and its value may stand what parts elsewhere.
    if (
      (letter === ' ' || letter === '\t') &&
      /[=:]\s*$/.test(line.slice(Math.max(0, at - 8), at))
    ) {
      return 0
    }
    if (letter === ' ') return mark === ' ' || run(line, at) > 1 ? run(line, at) : 0
    if (letter === ',' && isDigit(line[at - 1]) && isDigit(line[at + 1])) return 0
    return (mark === undefined ? ',;|\t'.includes(letter) : letter === mark) ? 1 : 0
  }
  let key: string | undefined
  let more = 0
  return split(line, parts).flatMap((cell) => {
    const found = pairsIn(cell)
    if (found.length === 0 && key !== undefined && plainNumber.test(cell)) {
      more += 1
      return [[`${key}.${more}`, cell]]
    }
    key = found.at(-1)?.[0] ?? key
    if (found.length > 0) more = 0
    return found
  })
}

/**
 * Pairs with one space between them: each key behind the first is one word. The first may be several, and a
 * number among them (PM 2.5: 8); what comes before an arrow is no part of it.
 */
function pairsIn(cell: string): [string, string][] {
  const found = [...cell.matchAll(/(?<=^|\s)([A-Za-z_][\w.()%/-]*)\s?[=:]\s*/g)]
  const [phrase = '', long = ''] = /^([A-Za-z_][\w.()%/> -]{0,63}?) ?[=:]\s*/.exec(cell) ?? []
  const first = found[0]
  if (long !== '' && !long.includes('->') && phrase.length <= ends(first)) {
    const rest = found.filter(({ index }) => index >= phrase.length)
    return [pairAt(cell, long, phrase.length, rest[0]), ...wordsOf(cell, rest)]
  }
  return wordsOf(cell, found)
}

function wordsOf(cell: string, found: readonly RegExpExecArray[]): [string, string][] {
  return found.map((one, i) => pairAt(cell, one[1] ?? '', ends(one), found[i + 1]))
}

function pairAt(cell: string, key: string, from: number, next?: RegExpExecArray): [string, string] {
  return [key, unquoted(cell.slice(from, next?.index).trim())]
}

/** Where the value behind a key begins. */
function ends(key: RegExpExecArray | undefined): number {
  return key === undefined ? Number.POSITIVE_INFINITY : key.index + key[0].length
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
