/**
 * Reads a YAML file by a schema and says of every mistake where it stands, what it is and how to cure it.
 * The device's and the operator's config are read by this one door.
 */
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { type Fault, fault } from './faults.ts'

export type Problem = {
  /** From 1. */
  readonly line: number
  readonly column: number
  /** What is wrong, with the place in dotted form where it has one. */
  readonly what: string
  readonly hint: string
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Bytes of the largest config; a fleet's devices fit many times over. */
export const configBytesMax = 1024 * 1024

/** The value of this text by the schema, or every problem in it, in the order of the file. */
export function readYaml<T>(schema: z.ZodType<T>, text: string): Checked<T> {
  const lines = new LineCounter()
  if (text.length > configBytesMax) {
    return bad([{ line: 1, column: 1, what: 'larger than 1 MiB', hint: 'is it a config at all?' }])
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  if (document.errors.length > 0) {
    return bad(
      document.errors.map(({ message, pos }) => ({
        ...at(pos[0]),
        what: `not YAML: ${message.split('\n')[0]}`,
        hint: 'look at indentation, quotes and colons on this line and the one before',
      })),
    )
  }
  const read = schema.safeParse(plainValue(document))
  if (read.success) return { ok: true, value: read.data }
  const problems = read.error.issues
    .flatMap((issue) => problemsOf(issue, document))
    .map((found) => ({
      ...at(offsetOf(document, found.path, found.atKey)),
      what: found.path.length === 0 ? found.what : `${found.path.join('.')}: ${found.what}`,
      hint: found.hint,
    }))
  return bad(problems.sort((a, b) => a.line - b.line || a.column - b.column))
}

/** The first problem as the fault that ends a command. */
export function configFault(path: string, problems: readonly Problem[]): Fault {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return fault('CONFIG_INVALID', {
    path,
    line: first?.line ?? 1,
    column: first?.column ?? 1,
    what: `${first?.what ?? 'not a config'}${more}`,
    hint: first?.hint ?? 'compare it with the sample',
  })
}

type Found = {
  readonly path: readonly (string | number)[]
  readonly what: string
  readonly hint: string
  /** Point at the key and not at its value. */
  readonly atKey?: boolean
}

function problemsOf(issue: z.core.$ZodIssue, document: Document): Found[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      what: 'there is no such setting',
      hint: 'check its spelling; `wayside config schema` lists every setting',
      atKey: true,
    }))
  }
  if (path.length > 0 && !document.hasIn(path)) {
    return [{ path, what: 'is missing', hint: `add ${path.at(-1) ?? 'it'}; it has no default` }]
  }
  // A schema's own sentence carries its cure behind a semicolon.
  const [what = '', ...cure] = issue.message.split('; ')
  return [{ path, what, hint: cure.join('; ') || 'see the sample config for its form' }]
}

function bad(problems: readonly Problem[]): { ok: false; problems: readonly Problem[] } {
  return { ok: false, problems }
}

type Document = ReturnType<typeof parseDocument>

/** An empty file is an empty config: its schema then names what is missing. */
function plainValue(document: Document): unknown {
  return document.toJS({ maxAliasCount: 100 }) ?? {}
}

/** Where the value at this path begins; where it is missing, its nearest parent. */
function offsetOf(document: Document, path: readonly (string | number)[], atKey = false): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true)
    const range = (node as { range?: readonly number[] } | undefined)?.range
    if (range?.[0] === undefined) continue
    return atKey && depth === path.length ? (keyOffset(document, path) ?? range[0]) : range[0]
  }
  return 0
}

function keyOffset(document: Document, path: readonly (string | number)[]): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  const items = (parent as { items?: readonly unknown[] } | null)?.items ?? []
  for (const item of items) {
    const { key } = item as { key?: { value?: unknown; range?: readonly number[] } }
    if (String(key?.value) === String(path.at(-1))) return key?.range?.[0]
  }
  return undefined
}
