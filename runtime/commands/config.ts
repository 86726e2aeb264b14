/** `wayside config`: checks a wayside.yaml before a device depends on it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import {
  type Config,
  configJsonSchema,
  configSchema,
  type ModelConfig,
  type SensorConfig,
} from '../config/config.ts'
import { driversOf } from '../config/driverlist.ts'
import type { Mistake } from '../config/mistake.ts'
import { sensorAt, sensorMistakes, withTables } from '../config/sensorcheck.ts'
import { type Checked, configFault, readYaml } from '../config/yamlfile.ts'
import { fault } from '../faults.ts'
import { modelFolder } from '../modelfolder.ts'
import { meant } from '../nearest.ts'
import type { Driver } from '../sense/driver.ts'

export function configCommand(program: Command): void {
  const config = program.command('config').description('check a config, or print its schema')

  config
    .command('check')
    .argument('[file]', 'the config', 'wayside.yaml')
    .option('--json', 'print {"ok", "problems": [{"line", "column", "what", "hint"}]}')
    .description('read a config and say of every mistake where it is and how to cure it')
    .addHelpText('after', checkExamples)
    .action((file: string, { json }: { json?: boolean }) => {
      const checked = checkConfig(readText(file), dirname(file))
      const problems = checked.ok ? [] : checked.problems
      if (json) console.log(JSON.stringify({ ok: checked.ok, problems }))
      else if (checked.ok) console.log(`${file}: fine, ${summary(checked.value)}`)
      for (const { line, column, what, hint } of json ? [] : problems) {
        console.error(`${file}:${line}:${column}: ${what}\n  ${hint}`)
      }
      if (!checked.ok) process.exitCode = 2
    })

  config
    .command('schema')
    .description('print the JSON Schema of wayside.yaml, for editors')
    .addHelpText('after', schemaExample)
    .action(() => console.log(JSON.stringify(configJsonSchema(), null, 2)))
}

/** The config in this file. Throws CONFIG_UNREADABLE, or CONFIG_INVALID with the first problem. */
export function loadConfig(file: string): Config {
  const checked = checkConfig(readText(file), dirname(file))
  if (checked.ok) return withTables(checked.value, dirname(file))
  throw configFault(file, checked.problems)
}

/** The config in this text by the schema, and by the drivers, tables and models that are there. */
export function checkConfig(text: string, folder = '.'): Checked<Config> {
  return readYaml(configSchema, text, (config) => {
    const sensors = sensorMistakes(config, folder)
    const doubtful = new Set(sensors.map(({ path }) => config.sensors[Number(path[1])]?.name))
    const numbers = (sensor: SensorConfig) =>
      doubtful.has(sensor.name)
        ? undefined
        : numbersOf(sensor, folder, driversOf(config.drivers, folder))
    return [
      ...sensors,
      ...config.models.flatMap((model, i) => modelMistakes(config, numbers, model, i)),
    ]
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw fault('CONFIG_UNREADABLE', { path: file, why: (cause as Error).message }, cause)
  }
}

/** A model that is not there, or that watches what its sensor does not tell. */
function modelMistakes(
  { sensors }: Config,
  numbersOf: (sensor: SensorConfig) => readonly string[] | undefined,
  { model, input }: ModelConfig,
  i: number,
): Mistake[] {
  const mistakes: Mistake[] = []
  if (!existsSync(join(modelFolder(model), 'model.json'))) {
    const hint = 'write anomaly, or the path of a folder with model.json and model.onnx'
    mistakes.push({ path: ['models', i, 'model'], what: `there is no model ${model}`, hint })
  }
  const sensor = sensors.find(({ name }) => name === input.stream)
  const fields = sensor === undefined ? undefined : numbersOf(sensor)
  if (fields !== undefined && !fields.includes(input.field)) {
    const near = meant(fields, input.field)
    mistakes.push({
      path: ['models', i, 'input', 'field'],
      what: `${input.stream} brings no number named ${input.field}`,
      hint: near === undefined ? `it brings ${fields.join(', ')}` : `perhaps ${near}`,
    })
  }
  return mistakes
}

/** The fields of this sensor that are numbers. */
function numbersOf(sensor: SensorConfig, folder: string, drivers: readonly Driver[]): string[] {
  const { driver, options } = sensorAt(sensor, folder, drivers)
  const names = driver.fieldsWith?.(options) ?? Object.keys(driver.fields)
  return names.filter((name) => {
    const field = driver.fields[name]
    return field !== undefined && !field.detail && ['number', 'integer'].includes(field.type)
  })
}

function summary({ sensors, models }: Config): string {
  const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
  return `${count(sensors.length, 'sensor')} and ${count(models.length, 'model')}`
}

const checkExamples = `
Examples:
  wayside config check
  wayside config check --json air.yaml

Exit code: 0 when the device can be started with it, 2 when not.`

const schemaExample = `
Example:
  wayside config schema > wayside.schema.json
  # and as the first line of wayside.yaml, for editors:
  # yaml-language-server: $schema=wayside.schema.json`
