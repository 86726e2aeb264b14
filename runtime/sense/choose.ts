/** From the name in a config or on the command line to a driver and its options. */
import { fault } from '../faults.ts'
import type { Driver } from './driver.ts'
import { type OptionValues, readOptions } from './options.ts'

/**
 * Finds `plantower`, `plantower.pms5003` or `pms5003`; a model stands for options, which what was written
 * overrides. Throws the faults DRIVER_UNKNOWN, DRIVER_OPTION_UNKNOWN and DRIVER_OPTION_INVALID.
 */
export function chooseDriver(
  drivers: readonly Driver[],
  name: string,
  written: Readonly<Record<string, unknown>> = {},
): { readonly driver: Driver; readonly options: OptionValues } {
  const wanted = name.toLowerCase()
  for (const driver of drivers) {
    if (wanted === driver.id) return { driver, options: readOptions(driver, written) }
    for (const [model, options] of Object.entries(driver.models)) {
      if (wanted !== model && wanted !== `${driver.id}.${model}`) continue
      return { driver, options: readOptions(driver, { ...options, ...written }) }
    }
  }
  throw fault('DRIVER_UNKNOWN', { driver: name, near: nearest(drivers, wanted).join(' or ') })
}

/** The names most like this one, so that a slip of the finger is quickly seen. */
function nearest(drivers: readonly Driver[], wanted: string): string[] {
  const names = drivers.flatMap(({ id, models }) => [id, ...Object.keys(models)])
  return names
    .map((name) => ({ name, steps: distance(name, wanted) }))
    .sort((a, b) => a.steps - b.steps)
    .slice(0, 2)
    .map(({ name }) => name)
}

/** Levenshtein's distance: letters to change, add or drop. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
