/** From the name in a config or on the command line to a driver and its options. */
import { fault } from '../faults.ts'
import { nearest } from '../nearest.ts'
import type { Driver } from './driver.ts'
import { type OptionValues, readOptions } from './options.ts'

/**
 * Finds `plantower`, `plantower.pms5003` or `pms5003`; a model stands for options, which what was written
 * overrides. A driver that its options change comes as they make it. Throws the faults DRIVER_UNKNOWN,
 * DRIVER_OPTION_UNKNOWN and DRIVER_OPTION_INVALID.
 */
export function chooseDriver(
  drivers: readonly Driver[],
  name: string,
  written: Readonly<Record<string, unknown>> = {},
): { readonly driver: Driver; readonly options: OptionValues } {
  const wanted = name.toLowerCase()
  for (const driver of drivers) {
    if (wanted === driver.id) return under(driver, readOptions(driver, written))
    for (const [model, options] of Object.entries(driver.models)) {
      if (wanted !== model && wanted !== `${driver.id}.${model}`) continue
      return under(driver, readOptions(driver, { ...options, ...written }))
    }
  }
  const names = drivers.flatMap(({ id, models }) => [id, ...Object.keys(models)])
  throw fault('DRIVER_UNKNOWN', { driver: name, near: nearest(names, wanted, 2).join(' or ') })
}

function under(driver: Driver, options: OptionValues) {
  return { driver: driver.under?.(options) ?? driver, options }
}
