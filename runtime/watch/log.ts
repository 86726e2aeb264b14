/** Structured logs: one JSON object a line, to standard error. The only importer of pino. */
import pino from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Says one event with its facts. No secret may be a fact; what looks like one is cut out besides. */
export type Note = (
  level: LogLevel,
  event: string,
  facts?: Readonly<Record<string, unknown>>,
) => void

/** `name` says which process speaks; `write` takes each finished line. */
export function openLog(name: string, level: LogLevel, write: (line: string) => void): Note {
  const log = pino(
    {
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    { write },
  )
  return (at, event, facts = {}) => {
    if (log.isLevelEnabled(at)) log[at](fit('', facts, 0), event)
  }
}

/** What a fact may not be called: then its value stays out, wherever it stands. */
const secretName = /^key$|secret|password|private|seed|mnemonic/i

/** A login in a URL. */
const login = /\/\/[^/@\s]+@/g

const depthMax = 6
const entriesMax = 64

/** A fact as it may be printed: no secret by its name, no login in a text, no bytes, and an end to it. */
function fit(name: string, fact: unknown, depth: number): unknown {
  if (secretName.test(name)) return '[secret]'
  if (typeof fact === 'string') return fact.replace(login, '//[secret]@')
  if (typeof fact === 'bigint') return fact.toString()
  if (fact instanceof Uint8Array) return `[${fact.length} bytes]`
  if (fact instanceof Error) return fit(name, errorFacts(fact), depth)
  if (typeof fact !== 'object' || fact === null) return fact
  if (depth === depthMax) return '[deeper]'
  if (Array.isArray(fact)) {
    return fact.slice(0, entriesMax).map((one) => fit('', one, depth + 1))
  }
  return Object.fromEntries(
    Object.entries(fact)
      .slice(0, entriesMax)
      .map(([inner, value]) => [inner, fit(inner, value, depth + 1)]),
  )
}

function errorFacts({ name, message, cause, ...more }: Error & { code?: unknown }) {
  const code = more.code === undefined ? {} : { code: more.code }
  return { name, message, ...code, ...(cause === undefined ? {} : { cause }) }
}
