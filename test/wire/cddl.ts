/**
 * As much of CDDL (RFC 8610) as docs/wire.cddl uses, so that a test can hold values to it: choices, maps,
 * arrays, groups, occurrences, ranges, `.size`, `.regexp`, `.cbor`, tags as `{ tag, value }`.
 */
import { type Cbor, decodeCbor } from '../../runtime/wire/cbor.ts'

export type Tagged = { readonly tag: number; readonly value: Cbor }
export type Matcher = (rule: string, value: Cbor | Tagged) => boolean

type Type =
  | { readonly is: 'name' | 'text'; readonly text: string }
  | { readonly is: 'number'; readonly number: number }
  | { readonly is: 'range'; readonly from: number; readonly to: number }
  | { readonly is: 'map' | 'list'; readonly group: Group }
  | { readonly is: 'tag'; readonly tag: number; readonly of: Type }
  | { readonly is: 'any of'; readonly types: readonly Type[] }
  | { readonly is: 'with'; readonly of: Type; readonly control: string; readonly by: Type }

type Entry = {
  readonly min: number
  readonly max: number
  /** Of a map's member; a name before a colon in an array says nothing. */
  readonly key?: string | number
  readonly type?: Type
  readonly group?: Group
}

/** One list of entries for each choice. */
type Group = readonly (readonly Entry[])[]

const token =
  /\s*("[^"]*"|#6\.\d+|\d+\*\d+|\.\.|\.[a-z]+|=>|\/\/|-?\d+|[A-Za-z][\w-]*|[=:,*?/(){}[\]])/y

/** Reads the rules; throws an Error at what it does not know. */
export function readCddl(source: string): Matcher {
  const rules = new Map<string, Group>()
  const cursor = cursorOver(tokensOf(source))
  while (cursor.peek() !== '') {
    const name = cursor.next()
    cursor.expect('=')
    rules.set(name, readGroup(cursor))
  }
  return (rule, value) => matches(rules, { is: 'name', text: rule }, value)
}

type Cursor = ReturnType<typeof cursorOver>

function cursorOver(tokens: readonly string[]) {
  let at = 0
  const next = () => tokens[at++] ?? ''
  return {
    /** Empty behind the last token. */
    peek: (ahead = 0) => tokens[at + ahead] ?? '',
    next,
    expect(wanted: string) {
      const got = next()
      if (got !== wanted) throw new Error(`${wanted} expected, not ${got} at token ${at}`)
    },
  }
}

function readGroup(cursor: Cursor): Group {
  const { peek, next } = cursor
  const ends = () => /^[)}\]]?$/.test(peek()) || (/^[a-z]/.test(peek()) && peek(1) === '=')
  const choices: Entry[][] = [[]]
  while (!ends()) {
    const separator = peek() === ',' || peek() === '//' ? next() : undefined
    if (separator === '//') choices.push([])
    else if (separator === undefined) choices.at(-1)?.push(readEntry(cursor))
  }
  return choices
}

function readEntry(cursor: Cursor): Entry {
  const [min, max] = readOccurrence(cursor)
  const key = readKey(cursor)
  if (key !== undefined) return { min, max, key, type: readType(cursor) }
  if (cursor.peek() !== '(') return { min, max, type: readType(cursor) }
  cursor.next()
  const group = readGroup(cursor)
  cursor.expect(')')
  return { min, max, group }
}

function readOccurrence({ peek, next }: Cursor): readonly [min: number, max: number] {
  if (!/^(\?|\*|\d+\*\d+)$/.test(peek())) return [1, 1]
  const sign = next()
  if (sign === '?') return [0, 1]
  const [min = '', max = ''] = sign.split('*')
  return [Number(min), max === '' ? Number.POSITIVE_INFINITY : Number(max)]
}

function readKey({ peek, next }: Cursor): string | number | undefined {
  if (peek(1) !== ':' && peek(1) !== '=>') return undefined
  const key = next()
  next()
  return /^-?\d+$/.test(key) ? Number(key) : key.replace(/"/g, '')
}

function readType(cursor: Cursor): Type {
  const types = [readControlled(cursor)]
  while (cursor.peek() === '/') {
    cursor.next()
    types.push(readControlled(cursor))
  }
  return types.length === 1 ? (types[0] as Type) : { is: 'any of', types }
}

function readControlled(cursor: Cursor): Type {
  const of = readPlain(cursor)
  if (cursor.peek() === '..' && of.is === 'number') {
    cursor.next()
    return { is: 'range', from: of.number, to: Number(cursor.next()) }
  }
  if (!/^\.[a-z]/.test(cursor.peek())) return of
  return { is: 'with', of, control: cursor.next(), by: readPlain(cursor) }
}

function readPlain(cursor: Cursor): Type {
  const first = cursor.next()
  if (first === '{' || first === '[') {
    const group = readGroup(cursor)
    cursor.expect(first === '{' ? '}' : ']')
    return { is: first === '{' ? 'map' : 'list', group }
  }
  if (first === '(' || first.startsWith('#6.')) {
    if (first !== '(') cursor.expect('(')
    const of = readType(cursor)
    cursor.expect(')')
    return first === '(' ? of : { is: 'tag', tag: Number(first.slice(3)), of }
  }
  if (first.startsWith('"')) return { is: 'text', text: first.slice(1, -1) }
  return /^-?\d+$/.test(first)
    ? { is: 'number', number: Number(first) }
    : { is: 'name', text: first }
}

type Rules = ReadonlyMap<string, Group>

function matches(rules: Rules, type: Type, value: Cbor | Tagged): boolean {
  switch (type.is) {
    case 'text':
      return value === type.text
    case 'number':
      return value === type.number
    case 'range':
      return Number.isSafeInteger(value) && Number(value) >= type.from && Number(value) <= type.to
    case 'any of':
      return type.types.some((one) => matches(rules, one, value))
    case 'tag':
      return isTagged(value) && value.tag === type.tag && matches(rules, type.of, value.value)
    case 'with':
      return matches(rules, type.of, value) && controls(rules, type.control, type.by, value as Cbor)
    case 'list':
      return Array.isArray(value) && type.group.some((some) => list(rules, some, value))
    case 'map':
      return value instanceof Map && map(rules, type.group, value, [...value.keys()])?.length === 0
    case 'name': {
      const primitive = primitives[type.text]
      if (primitive !== undefined) return primitive(value)
      const [only] = rules.get(type.text)?.[0] ?? []
      if (only?.type === undefined) throw new Error(`${type.text} is no type`)
      return matches(rules, only.type, value)
    }
  }
}

function controls(rules: Rules, control: string, by: Type, value: Cbor): boolean {
  if (control === '.regexp' && by.is === 'text')
    return new RegExp(`^(?:${by.text})$`).test(String(value))
  if (control === '.size') return matches(rules, by, (value as Uint8Array).length)
  if (control !== '.cbor') throw new Error(`no control ${control}`)
  return matches(rules, by, decodeCbor(value as Uint8Array, 'cbor'))
}

function list(rules: Rules, entries: readonly Entry[], items: readonly Cbor[]): boolean {
  let at = 0
  for (const { min, max, type } of entries) {
    let count = 0
    while (count < max && at < items.length && matches(rules, type as Type, items[at] as Cbor)) {
      at += 1
      count += 1
    }
    if (count < min) return false
  }
  return at === items.length
}

type Keys = readonly (string | number)[]

/** The keys that are left when one choice of the group has taken its own; undefined when none fits. */
function map(
  rules: Rules,
  group: Group,
  value: ReadonlyMap<string | number, Cbor>,
  keys: Keys,
): Keys | undefined {
  for (const choice of group) {
    let left: Keys | undefined = keys
    for (const { min, key, type, group: inner } of choice) {
      if (left === undefined) break
      if (key === undefined) {
        const named = type?.is === 'name' ? rules.get(type.text) : undefined
        left = map(rules, inner ?? named ?? [], value, left)
      } else if (!left.includes(key)) left = min === 0 ? left : undefined
      else if (!matches(rules, type as Type, value.get(key) as Cbor)) left = undefined
      else left = left.filter((one) => one !== key)
    }
    if (left !== undefined) return left
  }
  return undefined
}

const isWhole = (value: unknown) => typeof value === 'bigint' || Number.isInteger(value)

const primitives: Readonly<Record<string, (value: unknown) => boolean>> = {
  uint: (value) => isWhole(value) && (value as number | bigint) >= 0,
  int: isWhole,
  float: (value) => typeof value === 'number',
  number: (value) => typeof value === 'number' || typeof value === 'bigint',
  bool: (value) => typeof value === 'boolean',
  tstr: (value) => typeof value === 'string',
  bstr: (value) => value instanceof Uint8Array,
}

function isTagged(value: unknown): value is Tagged {
  return typeof value === 'object' && value !== null && 'tag' in value
}

function tokensOf(source: string): string[] {
  const bare = source.replace(/;[^\n]*/g, '').trim()
  const tokens: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < bare.length) {
    const from = token.lastIndex
    const found = token.exec(bare)
    if (found === null) throw new Error(`not CDDL as we know it: ${bare.slice(from, from + 30)}`)
    tokens.push(found[1] as string)
  }
  return tokens
}
