/** The mode indicators of a fix: a letter, in GNS one for each constellation. */
import { field, letterIn } from './cells.ts'
import { bad, type Column } from './columns.ts'

/** The best first. */
const modes = new Map([
  ['R', 'rtk'],
  ['F', 'rtk float'],
  ['P', 'precise'],
  ['D', 'differential'],
  ['A', 'autonomous'],
  ['E', 'estimated'],
  ['M', 'manual'],
  ['S', 'simulated'],
  ['N', 'none'],
])

/** The mode indicator; letters that only one maker uses stay letters. */
export function mode(at: number): Column {
  return (fields) => {
    if (letterIn(fields, at) === 0) return undefined
    const letter = field(fields, at)
    return modes.get(letter) ?? (/^[A-Z]$/.test(letter) ? letter : bad)
  }
}

/** GNS has a letter for each constellation; the best of them is the mode of the fix. */
export function bestMode(at: number): Column {
  return (fields) => {
    const letters = [...field(fields, at)]
    if (letters.length === 0) return undefined
    if (letters.some((letter) => !modes.has(letter))) return bad
    for (const [letter, mode] of modes) if (letters.includes(letter)) return mode
    return undefined
  }
}
