/**
 * Data sets, the lines of a meter in IEC 62056-21 §5 (and of P1, which took them over):
 *
 *   1-0:1.8.0*255(0008048.375*kWh)         code, and one group: a value, a star, its unit
 *   1-0:1.6.0*255(02.468*kW)(1703100930)   more groups belong to the same code, on the next line too
 *   6.8(0029.055*MWh)6.26(01589.28*m3)     several on one line
 *   1-0:0.2.0((ER11))                      brackets within a group are its text
 */

import type { Unit, Value } from '../../runtime/sense/driver.ts'
import { amount, plainNumber } from '../obis.ts'

export type DataSet = { readonly code: string; readonly groups: readonly string[] }

/** The data sets of a block, and whether it is nothing but data sets. */
export function dataSets(block: string): {
  readonly sets: readonly DataSet[]
  readonly whole: boolean
} {
  const sets: DataSet[] = []
  let whole = true
  for (const line of block.split(/\r\n|\r|\n/)) {
    for (const { 1: code = '', 2: parts = '', index } of line.matchAll(set)) {
      const groups = Array.from(parts.matchAll(group), ([text]) => text.slice(1, -1))
      const last = sets.at(-1)
      const begins = line.slice(0, index).trim() === ''
      if (code !== '') sets.push({ code, groups })
      else if (last !== undefined && begins) sets.push(continued(sets.pop() ?? last, groups))
      else whole = false
    }
    if (line.replace(set, '').trim() !== '') whole = false
  }
  return { sets, whole }
}

/** In brackets; what has brackets in itself is a text, such as the `(ER11)` of T210-D. */
const group = /\((?:[^()]|\([^()]*\))*\)/g

/** A code, and its groups; some meters part them by a blank. */
const blanks = '[ \\t]{0,4}'
const set = new RegExp(
  `([^()\\s]{0,40})${blanks}(${group.source}(?:${blanks}${group.source})*)`,
  'g',
)

function continued({ code, groups }: DataSet, more: readonly string[]): DataSet {
  return { code, groups: [...groups, ...more] }
}

export type Read = { readonly value: Value; readonly unit?: Unit }

/**
 * One value of a group. With a unit it is a number, in the unit `wanted` if any; without one `bare` says
 * what it is: `counts` a number, `names` a text, else a number where it has a point, and a text where it has
 * none (a serial number, `00`). Where a unit is wanted, it is an amount or nothing. Undefined when nothing is
 * there, or an amount of another kind. A star with no unit behind it says nothing (Actaris ACE3000).
 */
export function readValue(
  text: string,
  bare?: 'counts' | 'names',
  wanted?: Unit,
): Read | undefined {
  const trimmed = text.trim().replace(/\*$/, '')
  if (trimmed === '' || /^[-*?.\xff]+$/.test(trimmed)) return undefined
  const counts = bare === 'counts' || (bare === undefined && trimmed.includes('.'))
  // Gateways drop the star: the unit of what counts may follow the digits at once.
  const parts =
    starred.exec(trimmed) ?? (counts || wanted !== undefined ? glued.exec(trimmed) : null)
  const [, digits = '', written] = parts ?? []
  if (written !== undefined) {
    const found = amount(digits, written, wanted)
    if (found !== undefined || wanted !== undefined) return found
  }
  const value = counts || wanted !== undefined ? plainNumber(trimmed.replace(',', '.')) : undefined
  if (value !== undefined) return { value }
  if (wanted !== undefined) return undefined
  return trimmed.length <= textMax ? { value: trimmed } : undefined
}

const starred = /^(.+)\*([^*]*)$/
const glued = /^([+-]?\d+(?:[.,]\d+)?) ?([A-Za-z°%][A-Za-z0-9/³]*)$/

/** The message of a P1 meter has 1,024 characters, in two hex digits each. */
const textMax = 2048
