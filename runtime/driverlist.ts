/**
 * Every driver that a config may name: ours, and those of the packages that it lists under `drivers`.
 *
 * A package is loaded from the `node_modules` beside the config and from nowhere else, because its code
 * runs in the device. It exports `drivers`, a list; each is checked against our words before it is used.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { drivers as ours } from '../drivers/index.ts'
import { type Fault, fault } from './faults.ts'
import { product } from './product.ts'
import type { Driver } from './sense/driver.ts'
import { wrongWith } from './sense/vocabulary.ts'

/**
 * Ours and theirs. A package is named as in the config, with `folder` the config's, or by the folder that it
 * is in. Throws the fault DRIVER_PACKAGE_INVALID.
 */
export function driversOf(packages: readonly string[], folder = '.'): readonly Driver[] {
  const all = [...ours]
  for (const name of packages) {
    for (const driver of load(name, folder).drivers) {
      const names = namesOf(driver)
      const taken = all.flatMap(namesOf).find((one) => names.includes(one))
      if (taken !== undefined) throw invalid(name, `there is another driver named ${taken}`)
      all.push(driver)
    }
  }
  return all
}

/** Which release the driver of this name is of: ours, or `package version`. */
export function versionOf(packages: readonly string[], id: string): string {
  for (const name of packages) {
    const { drivers, version } = load(name, '.')
    if (drivers.some((driver) => driver.id === id)) return version
  }
  return product.version
}

/** The packages by the folders that they are in, for whoever does not know where the config is. */
export function placed(packages: readonly string[], folder: string): string[] {
  return packages.map((name) => resolve(folder, 'node_modules', name))
}

function load(name: string, folder: string) {
  const place = isAbsolute(name) ? name : resolve(folder, 'node_modules', name)
  const about = join(place, 'package.json')
  if (!existsSync(about)) throw invalid(name, 'it is not in the node_modules beside the config')
  const [home = '', called = ''] = splitLast(place, `${sep}node_modules${sep}`)
  let module: unknown
  try {
    module = createRequire(join(home, 'wayside.yaml'))(called)
  } catch (cause) {
    throw invalid(name, (cause as Error).message.split('\n')[0] ?? '', cause)
  }
  const { drivers } = module as { readonly drivers?: unknown }
  if (!Array.isArray(drivers)) throw invalid(name, 'it exports no list named `drivers`')
  for (const driver of drivers) {
    const [wrong] = wrongWith(driver)
    const id = typeof driver?.id === 'string' ? driver.id : 'one of its drivers'
    if (wrong !== undefined) throw invalid(name, `${id} ${wrong}`)
  }
  const { version } = JSON.parse(readFileSync(about, 'utf8')) as { readonly version?: string }
  return { drivers: drivers as readonly Driver[], version: `${called} ${version ?? ''}`.trim() }
}

function namesOf({ id, models }: Driver): string[] {
  return [id, ...Object.keys(models)]
}

function splitLast(text: string, mark: string): [string, string] {
  const at = text.lastIndexOf(mark)
  return [text.slice(0, at), text.slice(at + mark.length).replaceAll(sep, '/')]
}

function invalid(name: string, why: string, cause?: unknown): Fault {
  return fault('DRIVER_PACKAGE_INVALID', { package: name, why }, cause)
}
