/** The record that a frame's values are written into, name by name. */
import type { Value } from '../wire/reading.ts'

/**
 * An empty record, like `{}`, with room for the values of a frame.
 *
 * The names come from tables, so no literal can hold them. An engine gives `{}` room for four; later ones
 * go into a list beside it, and past a dozen it becomes a hash table: filling it then costs more than
 * reading the frame. Objects of one constructor get the room that the widest of the first few needed, and
 * those few are made here.
 */
export function freshValues(): Record<string, Value> {
  return new Values()
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
const Values = function Values() {} as unknown as {
  new (): Record<string, Value>
  prototype: unknown
}
Values.prototype = Object.prototype

for (let made = 0; made < 16; made += 1) {
  const values = freshValues()
  for (let i = 0; i < room; i += 1) values[`v${i}`] = i
}
