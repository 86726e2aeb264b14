/**
 * Reads a YAML file by a schema and says of every mistake where it stands, what it is and how to cure it.
 * The device's and the operator's config are read by this one door.
 */
import {
  type ErrorCode,
  isAlias,
  isMap,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import type { z } from 'zod'
import { type Fault, fault } from '../faults.ts'
import { type Mistake, mistakesOf } from './mistake.ts'

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

/** Characters of the largest config; a fleet's devices fit many times over. */
export const configCharactersMax = 1024 * 1024

/** So often may aliases repeat what stands elsewhere, all in all: a few lines must not become a gigabyte. */
const aliasesMax = 100

/**
 * The value of this text by the schema, or every problem in it, in the order of the file. `further` finds
 * what a schema cannot know of a value that it accepts. Never throws, whatever the text.
 */
export function readYaml<T>(
  schema: z.ZodType<T>,
  text: string,
  further: (value: T) => readonly Mistake[] = () => [],
): Checked<T> {
  if (text.length > configCharactersMax) {
    return bad([{ line: 1, column: 1, what: 'larger than 1 MiB', hint: 'is it a config at all?' }])
  }
  const garbled = text.search(/[\uFFFD\0]/)
  if (garbled >= 0) return bad([{ ...placeIn(text, garbled), ...otherEncoding }])
  const lines = new LineCounter()
  const document = parsed(text, lines)
  if (!('contents' in document)) return bad([document])
  const broken = document.errors.map(({ code, message, pos }) => ({
    ...placeOf(lines, pos[0]),
    ...unread(code, message),
  }))
  if (broken.length > 0) return bad(broken)
  let whole: unknown
  try {
    // An empty file is an empty config: its schema then names what is missing.
    whole = document.toJS({ maxAliasCount: aliasesMax }) ?? {}
  } catch (error) {
    const nameless = namelessAlias(document, lines)
    return bad([nameless ?? notAConfig(error)])
  }
  const read = schema.safeParse(whole)
  const mistakes = read.success
    ? further(read.data)
    : read.error.issues.flatMap((issue) => mistakesOf(issue, schema, whole))
  if (read.success && mistakes.length === 0) return { ok: true, value: read.data }
  return bad(placed(document, lines, mistakes))
}

/** Where in this text, which `readYaml` takes, each of these mistakes stands, in the order of the file. */
export function problemsIn(text: string, mistakes: readonly Mistake[]): Problem[] {
  const lines = new LineCounter()
  const document = parsed(text, lines)
  return 'contents' in document ? placed(document, lines, mistakes) : [document]
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

type Document = ReturnType<typeof parseDocument>

/** The document, or why it is none. */
function parsed(text: string, lineCounter: LineCounter): Document | Problem {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, merge: false })
  } catch (error) {
    return notAConfig(error)
  }
}

/** Nested past the stack, or aliases that stand for themselves or for too much. */
function notAConfig(error: unknown): Problem {
  const what = `not a config: ${firstLine((error as Error).message)}`
  return { line: 1, column: 1, what, hint: 'nest less, and write out what aliases repeat' }
}

/** The first alias of a name that no anchor before it has. */
function namelessAlias(document: Document, lines: LineCounter): Problem | undefined {
  let found: Problem | undefined
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined
      const what = `*${alias.source} stands for nothing: no &${alias.source} is above it`
      const hint = 'write out what it stands for, or put the text in quotes'
      found = { ...placeOf(lines, alias.range?.[0] ?? 0), what, hint }
      return visit.BREAK
    },
  })
  return found
}

function placed(document: Document, lines: LineCounter, mistakes: readonly Mistake[]): Problem[] {
  return mistakes
    .map(({ path, what, hint, atKey }) => ({
      ...placeOf(lines, offsetOf(document, path, atKey === true)),
      what: path.length === 0 ? what : `${path.join('.')}: ${what}`,
      hint,
    }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
}

function placeOf(lines: LineCounter, offset: number): Pick<Problem, 'line' | 'column'> {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

/** The same in a text that is not parsed. */
function placeIn(text: string, offset: number): Pick<Problem, 'line' | 'column'> {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

const otherEncoding = { what: 'bytes that are not UTF-8', hint: 'save the file as UTF-8' }

function bad(problems: readonly Problem[]): { ok: false; problems: readonly Problem[] } {
  return { ok: false, problems }
}

function unread(code: ErrorCode, message: string): { what: string; hint: string } {
  if (code === 'DUPLICATE_KEY') {
    return { what: 'a setting that stands above already', hint: 'keep one of the two' }
  }
  if (code === 'MULTIPLE_DOCS') {
    return { what: 'a second document begins here', hint: 'keep one, and take the --- out' }
  }
  const what = `not YAML: ${firstLine(message)}`
  if (code === 'TAB_AS_INDENT') return { what, hint: 'indent with spaces' }
  const hint = 'look at indentation, quotes and colons on this line and the one before'
  return { what, hint }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

/** Where the value at this path begins, or its key; where there is none, its nearest parent. */
function offsetOf(document: Document, path: Mistake['path'], atKey: boolean): number {
  let node = resolved(document, document.contents)
  let offset = node?.range?.[0] ?? 0
  for (const [depth, part] of path.entries()) {
    const { key, value } = entry(node, part)
    const found = atKey && depth === path.length - 1 ? key : (value ?? key)
    if (found?.range?.[0] === undefined) return offset
    offset = found.range[0]
    node = resolved(document, value)
  }
  return offset
}

/** What stands under this name or at this place of a list. */
function entry(node: Node | null, part: string | number): { key: Node | null; value: Node | null } {
  if (isSeq(node)) return { key: null, value: (node.items[Number(part)] as Node | null) ?? null }
  const pair = isMap(node)
    ? node.items.find(
        ({ key }) => String((key as { value?: unknown } | null)?.value) === String(part),
      )
    : undefined
  return { key: (pair?.key as Node | null) ?? null, value: (pair?.value as Node | null) ?? null }
}

/** An alias stands for what its anchor names. */
function resolved(document: Document, node: Node | null): Node | null {
  return isAlias(node) ? ((node.resolve(document) as Node | undefined) ?? null) : node
}
