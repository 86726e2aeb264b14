/** Structured logs: one JSON object a line, to standard error. The only importer of pino. */
import pino from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Says one event with its facts. No secret is ever a fact; keys are also cut out by name. */
export type Note = (
  level: LogLevel,
  event: string,
  facts?: Readonly<Record<string, unknown>>,
) => void

/** `name` says which process speaks; `write` takes each finished line. */
export function openLog(name: string, level: LogLevel, write: (line: string) => void): Note {
  const log = pino(
    {
      name,
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
      redact: { paths: secretNames.flatMap((key) => [key, `*.${key}`]), censor: '[secret]' },
    },
    { write },
  )
  return (at, event, facts = {}) => log[at](facts, event)
}

const secretNames = ['secret', 'password', 'privateKey', 'key', 'seed', 'mnemonic']
