/** The records that a frame's values stand in: written name by name, or made at once. */
import { isFieldName, type Value } from '../wire/reading.ts'

/**
 * An empty record, like `{}`, with room for the values of a frame.
 *
 * The names come from tables, so no literal can hold them. An engine gives `{}` room for four; later ones
 * go into a list beside it, and past a dozen it becomes a hash table: filling it then costs more than
 * reading the frame. Objects of one constructor get the room that the widest of the first few needed, and
 * those few are made here.
 */
export function freshValues(): Record<string, Value> {
  return new Fresh()
}

/** Makes a record of those `values` that are told: bit i of `told` says that `names[i]` has `values[i]`. */
export type Records = (values: Values, told: number) => Record<string, Value>
type Values = readonly (Value | undefined)[]

/**
 * For frames of a table that names all they can say, in 31 names at most.
 *
 * An engine that is given name after name looks each of them up, 15 ns a value; those in a literal it knows.
 * But only code can hold a literal, and it is up to the sensor which of the names a frame has. So the code
 * of a literal is made here for each set of names that comes, out of those names and nothing else: a
 * sensor has few. Names are written one by one where a line has ever more sets, and where the engine
 * was told to make no code out of text.
 */
export function recordsOf(names: readonly string[]): Records {
  if (names.length > bitsMax || !names.every(isFieldName)) throw new RangeError(names.join(' '))
  const made = new Map<number, (values: Values) => Record<string, Value>>()
  return (values, told) => {
    const literal = made.get(told)
    if (literal !== undefined) return literal(values)
    if (made.size < setsMax) made.set(told, literalOf(names, told))
    return oneByOne(names, values, told)
  }
}

/** As many as the operators on bits reach. */
const bitsMax = 31
const setsMax = 64

function literalOf(names: readonly string[], told: number) {
  const entries = names.flatMap((name, at) => (isIn(told, at) ? [`'${name}': values[${at}]`] : []))
  try {
    return new Function('values', `return { ${entries.join(', ')} }`) as (
      values: Values,
    ) => Record<string, Value>
  } catch {
    return (values: Values) => oneByOne(names, values, told)
  }
}

function oneByOne(names: readonly string[], values: Values, told: number): Record<string, Value> {
  const record = freshValues()
  for (let at = 0; at < names.length; at += 1) {
    if (isIn(told, at)) record[names[at] as string] = values[at] as Value
  }
  return record
}

function isIn(told: number, at: number): boolean {
  return (told & (1 << at)) !== 0
}

/** Adds to these values what `next` says beside them. */
export function firstKeeps(
  values: Record<string, Value>,
  next: Readonly<Record<string, Value>>,
): Record<string, Value> {
  for (const name of Object.keys(next)) {
    if (!Object.hasOwn(values, name)) values[name] = next[name] as Value
  }
  return values
}

/** NMEA's GSV has 22 values. An engine gives no more than this: for a record of 30, `{}` does as well. */
const room = 24

// A plain object in every other way: its prototype is that of `{}`.
const Fresh = function Values() {} as unknown as {
  new (): Record<string, Value>
  prototype: unknown
}
Fresh.prototype = Object.prototype

for (let made = 0; made < 16; made += 1) {
  const values = freshValues()
  for (let i = 0; i < room; i += 1) values[`v${i}`] = i
}
