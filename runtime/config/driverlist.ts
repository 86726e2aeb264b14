/**
 * Every driver that there is: ours, and those of the packages that a config lists under `drivers`, or that a
 * command names with `--with`.
 *
 * A config's package is loaded from the `node_modules` beside the config and from nowhere else, because its
 * code runs in the device. It exports `drivers`, a list; each is checked against our words before it is used,
 * and guarded while it is (sense/guard.ts).
 * On the bench a path will do as well: the folder of a package that is being written, or one file of it.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { drivers as ours } from '../../drivers/index.ts'
import { type Fault, fault } from '../faults.ts'
import { product } from '../product.ts'
import type { Driver } from '../sense/driver.ts'
import { guarded } from '../sense/guard.ts'
import { wrongWith } from '../sense/vocabulary.ts'

export type DriverList = {
  readonly drivers: readonly Driver[]
  /** Which release the driver of this name is of: ours, or `package version`. */
  versionOf(id: string): string
  /** What brought the driver of this name, as it was named; undefined for ours. */
  packageOf(id: string): string | undefined
}

/**
 * Ours and theirs, each package read once. A package is named as in the config, with `folder` the config's,
 * or by a path. Throws the fault DRIVER_PACKAGE_INVALID.
 */
export function driverList(packages: readonly string[], folder = '.'): DriverList {
  const all = [...ours]
  const theirs = new Map<string, { readonly from: string; readonly version: string }>()
  for (const from of packages) {
    const { drivers, version } = load(from, folder)
    for (const driver of drivers) {
      const names = namesOf(driver)
      const taken = all.flatMap(namesOf).find((one) => names.includes(one))
      if (taken !== undefined) throw invalid(from, `there is another driver named ${taken}`)
      all.push(driver)
      theirs.set(driver.id, { from, version })
    }
  }
  return {
    drivers: all,
    versionOf: (id) => theirs.get(id)?.version ?? product.version,
    packageOf: (id) => theirs.get(id)?.from,
  }
}

/** The drivers alone. Throws as `driverList` does. */
export function driversOf(packages: readonly string[], folder = '.'): readonly Driver[] {
  return driverList(packages, folder).drivers
}

/** The packages by the folders that they are in, for whoever does not know where the config is. */
export function placed(packages: readonly string[], folder: string): string[] {
  return packages.map((name) => placeOf(name, folder))
}

/** Whether this names a package that is installed here, or is a path, which can be nothing else. */
export function isPackage(name: string, folder = '.'): boolean {
  return isPath(name) || existsSync(join(placeOf(name, folder), 'package.json'))
}

function load(name: string, folder: string) {
  const { entry, called, version } = entryOf(name, placeOf(name, folder))
  let module: unknown
  try {
    module = entry()
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
  return {
    drivers: (drivers as readonly Driver[]).map(guarded),
    version: `${called} ${version}`.trim(),
  }
}

/** How the code at this place is loaded, and what it is called in a signed setup. */
function entryOf(name: string, place: string) {
  if (isPath(name) && isFile(place)) {
    return { entry: () => createRequire(place)(place), called: basename(place), version: '' }
  }
  const about = join(place, 'package.json')
  if (!existsSync(about)) throw invalid(name, `it is not installed: there is no ${about}`)
  const { name: called = basename(place), version = '', exports } = aboutOf(name, about)
  // By its own name a package is found through its `exports`, wherever it is; without them by its `main`.
  const entry = () => createRequire(about)(exports === undefined ? place : called)
  return { entry, called, version }
}

type About = { readonly name?: string; readonly version?: string; readonly exports?: unknown }

function aboutOf(name: string, path: string): About {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as About
  } catch (cause) {
    throw invalid(name, `its package.json: ${(cause as Error).message}`, cause)
  }
}

/** A path begins like one: a name of npm begins with neither `.` nor `/`. */
function isPath(name: string): boolean {
  return /^[./]/.test(name)
}

function placeOf(name: string, folder: string): string {
  return isPath(name) ? resolve(folder, name) : resolve(folder, 'node_modules', name)
}

function isFile(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isFile() ?? false
}

function namesOf({ id, models }: Driver): string[] {
  return [id, ...Object.keys(models)]
}

function invalid(name: string, why: string, cause?: unknown): Fault {
  return fault('DRIVER_PACKAGE_INVALID', { package: name, why }, cause)
}
