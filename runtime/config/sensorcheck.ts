/** What the sensors of a config have against each other, their drivers and the tables that they name. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { drivers as ours } from '../../drivers/index.ts'
import { Fault, fault } from '../faults.ts'
import { chooseDriver } from '../sense/choose.ts'
import type { Driver, Serial } from '../sense/driver.ts'
import type { Option } from '../sense/options.ts'
import { loadRecording, recordingScheme } from '../sense/recording.ts'
import { sensorPlan } from './catalogue.ts'
import type { Config, SensorConfig } from './config.ts'
import { driversOf, placed } from './driverlist.ts'
import { type Mistake, mistakesOf } from './mistake.ts'
import { brokerFiles, placedIn, placedModel } from './place.ts'
import { configFault, readYaml } from './yamlfile.ts'

type Written = SensorConfig['options']
type Schema = NonNullable<Option['document']>

/**
 * The options of a driver with every table that they name read from its file, its path taken from `folder`.
 * Throws DRIVER_UNKNOWN, INPUT_UNREADABLE, and CONFIG_INVALID with the first mistake in such a file.
 */
export function readTables(
  driver: string,
  options: Written,
  folder: string,
  drivers: readonly Driver[] = ours,
): Written {
  const known = chooseDriver(drivers, driver).driver.options
  return Object.fromEntries(
    Object.entries(options).map(([name, written]) => {
      const schema = known[name]?.document
      const named = schema !== undefined && typeof written === 'string' && isPath(written)
      return [name, named ? readTable(schema, written, folder) : written]
    }),
  )
}

/**
 * The config with every table read, and everything else that it names by a path in its place: keys and
 * readings, the files of its line, recordings, models, packages. Throws as `readTables` and `driversOf` do.
 */
export function withTables(config: Config, folder: string): Config {
  const drivers = driversOf(config.drivers, folder)
  const sensors = config.sensors.map((sensor) => ({
    ...sensor,
    port: portAt(sensor.port, folder),
    options: readTables(sensor.driver, sensor.options, folder, drivers),
  }))
  const models = config.models.map((one) => ({
    ...one,
    model: placedModel(folder, one.model),
  }))
  return {
    ...placedIn(folder, config, ['folder']),
    broker: placedIn(folder, config.broker, brokerFiles),
    drivers: placed(config.drivers, folder),
    ...{ sensors, models },
  }
}

/** What the supervisor of this sensor needs. Throws as `readTables` and the driver's options do. */
export function sensorAt(sensor: SensorConfig, folder: string, drivers: readonly Driver[] = ours) {
  const options = readTables(sensor.driver, sensor.options, folder, drivers)
  return sensorPlan({ ...sensor, options }, drivers)
}

/** Everything that is wrong with the sensors; relative paths are taken from `folder`. */
export function sensorMistakes(config: Config, folder: string): Mistake[] {
  const { sensors, drivers: packages = [] } = config
  const wrong = packages.flatMap((_, i) => packageMistakes(packages.slice(0, i + 1), folder))
  if (wrong.length > 0) return wrong.slice(0, 1)
  const known: Known = { folder, drivers: driversOf(packages, folder) }
  const found = sensors.flatMap((sensor, i) => [
    ...portMistakes(sensor, i, folder),
    ...ownMistakes(sensor, i, known),
  ])
  return found.length > 0 ? found : sharingMistakes(sensors, known)
}

/** Where relative paths begin, and the drivers that a sensor may name. */
type Known = { readonly folder: string; readonly drivers: readonly Driver[] }

/** What keeps the last of these packages from being used. */
function packageMistakes(packages: readonly string[], folder: string): Mistake[] {
  try {
    driversOf(packages, folder)
    return []
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const path = ['drivers', packages.length - 1]
    return [{ path, what: error.message, hint: error.cure }]
  }
}

/** A port as it is written, a recording by its place. */
function portAt(port: string, folder: string): string {
  if (!port.startsWith(recordingScheme)) return port
  return `${recordingScheme}${resolve(folder, port.slice(recordingScheme.length))}`
}

/** What keeps a recording from standing in for the port of this sensor. */
function portMistakes({ port }: SensorConfig, i: number, folder: string): Mistake[] {
  if (!port.startsWith(recordingScheme)) return plainFileMistakes(port, i, folder)
  const file = port.slice(recordingScheme.length)
  const rows = loadRecording(resolve(folder, file))
  if (typeof rows !== 'string') return []
  const hint = 'write one with `wayside record`; its lines are in docs/add-a-driver.md'
  return [{ path: ['sensors', i, 'port'], what: `${file}: ${rows}`, hint }]
}

/** A file is no port; that it was meant to stand in for one has to be said. */
function plainFileMistakes(port: string, i: number, folder: string): Mistake[] {
  const isFile = statSync(resolve(folder, port), { throwIfNoEntry: false })?.isFile() ?? false
  if (!isFile) return []
  const hint = `a recording stands in for a port as \`${recordingScheme}${port}\``
  return [{ path: ['sensors', i, 'port'], what: `${port} is a file, not a port`, hint }]
}

/** What its driver has against one sensor. */
function ownMistakes(sensor: SensorConfig, i: number, known: Known): Mistake[] {
  const { folder, drivers } = known
  const at = ['sensors', i, 'options']
  const { driver, options } = sensor
  const inside = tableMistakes(sensor, at, known)
  if (inside.length > 0) return inside
  try {
    chooseDriver(drivers, driver, readTables(driver, options, folder, drivers))
    return []
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const { code, message, cure, facts } = error
    if (code === 'DRIVER_UNKNOWN') {
      return [{ path: ['sensors', i, 'driver'], what: message, hint: cure }]
    }
    const atKey = code === 'DRIVER_OPTION_UNKNOWN' ? { atKey: true as const } : {}
    return [{ path: [...at, String(facts.option)], what: message, hint: cure, ...atKey }]
  }
}

/** Mistakes in the tables of a sensor, in the config itself or in files that it names. */
function tableMistakes(
  { driver, options }: SensorConfig,
  at: Mistake['path'],
  { folder, drivers }: Known,
): Mistake[] {
  let known: Readonly<Record<string, Option>>
  try {
    known = chooseDriver(drivers, driver).driver.options
  } catch {
    return []
  }
  return Object.entries(options).flatMap(([name, written]) => {
    const schema = known[name]?.document
    if (schema === undefined) return []
    const path = [...at, name]
    if (typeof written !== 'object') return fileMistakes(schema, written, folder, path)
    const { error } = schema.safeParse(written)
    const mistakes = error?.issues.flatMap((issue) => mistakesOf(issue, schema, written)) ?? []
    return mistakes.map((mistake) => ({ ...mistake, path: [...path, ...mistake.path] }))
  })
}

/** What keeps the file of a table from being read. */
function fileMistakes(
  schema: Schema,
  written: unknown,
  folder: string,
  path: Mistake['path'],
): Mistake[] {
  if (typeof written !== 'string' || !isPath(written)) return []
  try {
    readTable(schema, written, folder)
    return []
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return [{ path, what: error.message, hint: error.cure }]
  }
}

/** Sensors that name one port: may they share it, and do they agree on its settings? */
function sharingMistakes(sensors: readonly SensorConfig[], { folder, drivers }: Known): Mistake[] {
  const firsts = new Map<string, ReturnType<typeof sensorAt>>()
  return sensors.flatMap((sensor, i): Mistake[] => {
    const plan = sensorAt(sensor, folder, drivers)
    const port = realPort(plan.path)
    const first = firsts.get(port)
    if (first === undefined || port.startsWith(recordingScheme)) {
      firsts.set(port, plan)
      return []
    }
    const shares = plan.driver.bus !== undefined && plan.driver.id === first.driver.id
    if (!shares) {
      const what = `${first.name} has this port already`
      const hint = 'only devices that take turns, such as Modbus slaves, may share one'
      return [{ path: ['sensors', i, 'port'], what, hint }]
    }
    const [mine, theirs] = [words(plan.driver.serial), words(first.driver.serial)]
    if (mine === theirs) return []
    const what = `${mine}, where ${first.name} has ${theirs} on the same port`
    const hint = 'set `baudRate`, `parity` and `stopBits` alike, on the devices too'
    return [{ path: ['sensors', i], what, hint }]
  })
}

/** The port itself, by whichever of its names it is called; one that is not plugged in now has no other. */
function realPort(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function words({ baudRate, dataBits = 8, parity = 'none', stopBits = 1 }: Serial): string {
  return `${baudRate} baud ${dataBits}${parity[0]?.toUpperCase()}${stopBits}`
}

function isPath(written: string): boolean {
  return written.includes('/') || /\.(ya?ml|json)$/.test(written)
}

function readTable(schema: Schema, written: string, folder: string) {
  const path = resolve(folder, written)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw fault('INPUT_UNREADABLE', { path: written, why: (cause as Error).message }, cause)
  }
  const checked = readYaml(schema, text)
  if (checked.ok) return checked.value as Record<string, unknown>
  throw configFault(written, checked.problems)
}
