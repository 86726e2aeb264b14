/**
 * A line of JSON as cells: what stands deeper is named by its way there, `BME280.Temperature`, `acc.0`.
 *
 * Whole numbers past 2^53 stay exact. Sketches that print a float into their JSON write `nan` or `inf` when
 * it is none: outside of texts these are taken for null. MicroPython prints a dictionary with single quotes,
 * True and None; others put a comma behind each line, or behind the last member, or leave keys without
 * quotes.
 */

/** A text or number of a line, null for none. */
export type Raw = string | number | bigint | boolean | null

/** Deeper, or more, than any sensor says. */
const depthMax = 8
const cellsMax = 256

/** Undefined when it is not one object or list, or too large. */
export function jsonCells(line: string): Map<string, Raw> | undefined {
  const text = line.replace(/[,;]$/, '')
  const loose = () => withoutNan(withoutLastComma(withQuotes(fromPython(text))))
  const whole = parsed(text) ?? parsed(withoutNan(text)) ?? parsed(loose())
  if (typeof whole !== 'object' || whole === null) return undefined
  const cells = new Map<string, Raw>()
  return gather(whole, '', depthMax, cells) ? cells : undefined
}

function gather(at: object, way: string, depth: number, cells: Map<string, Raw>): boolean {
  for (const [name, value] of Object.entries(at)) {
    const here = `${way}${name}`
    if (typeof value === 'object' && value !== null) {
      if (depth === 0 || !gather(value, `${here}.`, depth - 1, cells)) return false
      continue
    }
    if (cells.size >= cellsMax) return false
    cells.set(here, value as Raw)
  }
  return true
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text, exact)
  } catch {
    return undefined
  }
}

/** A whole number that a double would round, as it was written. */
function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source ?? ''
  return /^-?\d+$/.test(source) ? BigInt(source) : value
}

/** How many braces and brackets are open behind this text; those in texts do not count. */
export function openIn(text: string): number {
  const marks = text.replace(/"(?:[^"\\]|\\.)*"?/g, '').replace(/[^[\]{}]/g, '')
  return [...marks].reduce((open, mark) => open + ('[{'.includes(mark) ? 1 : -1), 0)
}

/** A dictionary as Python prints it; whatever has a double quote is none, or too clever. */
function fromPython(text: string): string {
  if (text.includes('"') || text.includes('\\')) return text
  return text
    .replaceAll("'", '"')
    .replace(/("[^"]*")|\b(True|False|None)\b/g, (_found, quoted?: string, word?: string) => {
      return quoted ?? { True: 'true', False: 'false', None: 'null' }[word ?? ''] ?? 'null'
    })
}

/** Keys as JavaScript has them: {t: 21.5}. Where any quote stands the line is quoted already. */
function withQuotes(text: string): string {
  return text.includes('"') ? text : text.replace(/([{,]\s*)([A-Za-z_][\w-]*)(?=\s*:)/g, '$1"$2"')
}

function withoutLastComma(text: string): string {
  return text.replace(
    /("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g,
    (_found, quoted?: string) => quoted ?? '',
  )
}

function withoutNan(text: string): string {
  return text.replace(
    /("(?:[^"\\]|\\.)*")|[+-]?\b(?:nan|inf(?:inity)?|ovf)\b/gi,
    (_found, quoted?: string) => quoted ?? 'null',
  )
}
