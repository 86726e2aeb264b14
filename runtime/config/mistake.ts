/** What a schema has against a value, said in the words of whoever wrote the file. */
import { z } from 'zod'
import { meant } from '../nearest.ts'

/** One thing that is wrong, before it is known on which line it stands. */
export type Mistake = {
  readonly path: readonly (string | number)[]
  readonly what: string
  readonly hint: string
  /** It is about the name of the setting and not about its value. */
  readonly atKey?: true
}

/** The mistakes behind one issue that `schema` raised against `whole`. */
export function mistakesOf(issue: z.core.$ZodIssue, schema: z.ZodType, whole: unknown): Mistake[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownSetting(schema, path, key))
  }
  const given = valueAt(whole, path)
  if (given === undefined && path.length > 0) {
    return [{ path, what: 'is missing', hint: `add ${path.at(-1)}; it has no default` }]
  }
  if (given === null) {
    return [{ path, what: 'is empty', hint: 'give it a value, or take the line out' }]
  }
  if (issue.code === 'invalid_union' && typeof given === 'object') {
    // The branch that takes settings knows what is wrong with them.
    const inner = issue.errors.find((errors) => !errors.some(isWrongKind))
    const deeper = inner?.map((one) => ({ ...one, path: [...path, ...one.path] }))
    if (deeper !== undefined) return deeper.flatMap((one) => mistakesOf(one, schema, whole))
  }
  const said = sentence(issue, given)
  const inside = wantsSettings(issue) ? settingsAt(schema, path) : []
  const hint = inside.length === 0 ? said.hint : `${said.hint}; here are ${inside.join(', ')}`
  return [{ path, what: said.what, hint }]
}

/** The value at this path of what a file says; undefined where there is none. */
export function valueAt(whole: unknown, path: readonly (string | number)[]): unknown {
  let at = whole
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Record<string | number, unknown>)[part]
  }
  return at
}

function unknownSetting(schema: z.ZodType, path: Mistake['path'], key: string): Mistake {
  const known = settingsAt(schema, path)
  const near = meant(known, key)
  const list = known.length === 0 ? 'see `wayside config schema`' : `here are ${known.join(', ')}`
  const hint = near === undefined ? (unreadKeys[key] ?? list) : `perhaps ${near}`
  return { path: [...path, key], what: 'there is no such setting', hint, atKey: true }
}

/** What YAML means to some and to others not. */
const unreadKeys: Readonly<Record<string, string>> = {
  '<<': 'merge keys are not read: write out what it would bring',
}

type JsonSchema = {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

/** Drawing a schema takes milliseconds, and a file may have a thousand mistakes. */
const drawn = new WeakMap<z.ZodType, unknown>()

/** The settings that may stand at this path. */
function settingsAt(schema: z.ZodType, path: Mistake['path']): string[] {
  const whole = drawn.get(schema) ?? z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  drawn.set(schema, whole)
  let at = whole as JsonSchema | undefined
  for (const part of path) {
    at = typeof part === 'number' ? at?.items : at?.properties?.[part]
    at = at?.anyOf?.find(({ properties }) => properties !== undefined) ?? at
  }
  return Object.keys(at?.properties ?? {})
}

/** True when the schema wants a group of settings at this place and nothing else. */
function wantsSettings(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && issue.expected === 'object'
}

function isWrongKind({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')
}

/** What is wrong, and the cure. */
function sentence(issue: z.core.$ZodIssue, given: unknown): { what: string; hint: string } {
  // A schema's own sentence carries its cure behind a semicolon; zod's own begin with a capital.
  if (!/^[A-Z]/.test(issue.message)) {
    const [what = '', ...cure] = issue.message.split('; ')
    return { what, hint: cure.join('; ') || 'see docs/wayside.yaml for its form' }
  }
  if (issue.code === 'too_big' || issue.code === 'too_small') return outside(issue, given)
  const what = typeof given === 'string' ? `can not be ${short(given)}` : `is ${nounOf(given)}`
  return { what, hint: `write ${allowedBy(issue)}` }
}

function outside(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall, given: unknown) {
  const [bound, word] =
    issue.code === 'too_big' ? [issue.maximum, 'most'] : [issue.minimum, 'least']
  const edge = issue.inclusive === false ? ` and not ${bound} itself` : ''
  if (issue.origin === 'string' || issue.origin === 'array') {
    const { length } = given as string | unknown[]
    const [one, many] =
      issue.origin === 'string' ? ['character', 'characters'] : ['entry', 'entries']
    const what = length === 0 ? 'is empty' : `has ${length} ${length === 1 ? one : many}`
    return { what, hint: `write at ${word} ${bound} ${Number(bound) === 1 ? one : many}` }
  }
  const what = `${given} is ${issue.code === 'too_big' ? 'over' : 'under'} its limit`
  return { what, hint: `write at ${word} ${bound}${edge}` }
}

function allowedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') {
    const words = issue.values.map(String)
    return words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`
  }
  if (issue.code === 'invalid_type') return nouns[issue.expected] ?? issue.expected
  if (issue.code !== 'invalid_union') return ownCure(issue) ?? 'it as docs/wayside.yaml shows'
  const branches = issue.errors.flatMap(([first]) => (first === undefined ? [] : [first]))
  return [...new Set(branches.map(allowedBy))].join(', or ')
}

/** Of a sentence of the schema's own (see `sentence`) what it says to write. */
function ownCure({ message }: z.core.$ZodIssue): string | undefined {
  return / write (.+)$/.exec(message)?.[1]
}

const nouns: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'settings, each as name: value',
  record: 'settings, each as name: value',
  array: 'a list, each entry after a dash',
}

function nounOf(given: unknown): string {
  if (Array.isArray(given)) return 'a list'
  if (typeof given === 'object') return 'a group of settings'
  if (typeof given === 'boolean') return `${given}`
  return `the number ${given}`
}

function short(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
