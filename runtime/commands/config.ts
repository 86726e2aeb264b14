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
import { placedModel } from '../config/place.ts'
import { editorSchema } from '../config/quantity.ts'
import { sensorAt, sensorMistakes, withTables } from '../config/sensorcheck.ts'
import { type Checked, configFault, readYaml } from '../config/yamlfile.ts'
import { fault } from '../faults.ts'
import { modelFolder } from '../modelfolder.ts'
import { meant } from '../nearest.ts'
import type { OperatorConfig } from '../operator/config.ts'
import type { Driver } from '../sense/driver.ts'

export function configCommand(program: Command): void {
  const config = program.command('config').description('check a config, or print its schema')

  config
    .command('check')
    .argument('[file]', 'the config', 'wayside.yaml')
    .option('--json', 'print {"ok", "problems": [{"line", "column", "what", "hint"}]}')
    .description('read the config of a device, or of a desk, and say of every mistake where it is')
    .addHelpText('after', checkExamples)
    .action(check)

  config
    .command('schema')
    .option('--desk', 'that of operate.yaml')
    .description('print the JSON Schema of wayside.yaml, for editors')
    .addHelpText('after', schemaExample)
    .action(schema)
}

/** Says of a device's config, or of a desk's, whether the machine that it stands on can start by it. */
async function check(file: string, { json }: { readonly json?: boolean }): Promise<void> {
  const text = readText(file)
  const folder = dirname(file)
  const { checkDesk, withLine } = await import('./check.ts')
  const [checked, says] = isDesks(text)
    ? await checkDesk(text, folder).then((one) => [one, one.ok ? fleet(one.value) : ''] as const)
    : await withLine(checkConfig(text, folder), text, folder).then(
        (one) => [one, one.ok ? summary(one.value) : ''] as const,
      )
  const problems = checked.ok ? [] : checked.problems
  if (json) console.log(JSON.stringify({ ok: checked.ok, problems }))
  else if (checked.ok) console.log(`${file}: fine, ${says}`)
  for (const { line, column, what, hint } of json ? [] : problems) {
    console.error(`${file}:${line}:${column}: ${what}\n  ${hint}`)
  }
  if (!checked.ok) process.exitCode = 2
}

async function schema({ desk }: { readonly desk?: true }): Promise<void> {
  const { operatorSchema } = desk ? await import('../operator/config.ts') : {}
  const printed = operatorSchema === undefined ? configJsonSchema() : editorSchema(operatorSchema)
  console.log(JSON.stringify(printed, null, 2))
}

/** Whether this is the config of `wayside operate`: by what only one of the two can have. */
function isDesks(text: string): boolean {
  const has = (names: string) => new RegExp(`^["']?(${names})["']?\\s*:`, 'm').test(text)
  return has('keys|chain|tokens|devices|settle') && !has('sensors|models|operator|rails')
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
      ...config.models.flatMap((model, i) => modelMistakes(config, numbers, { model, i, folder })),
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
  { model: { model, input }, i, folder }: { model: ModelConfig; i: number; folder: string },
): Mistake[] {
  const mistakes: Mistake[] = []
  if (!existsSync(join(modelFolder(placedModel(folder, model)), 'model.json'))) {
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
  return `${count(sensors.length, 'sensor')} and ${count(models.length, 'model')}`
}

function fleet({ devices, tokens }: OperatorConfig): string {
  return `the desk of ${count(devices.length, 'device')}, paid in ${count(tokens.length, 'token')}`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

const checkExamples = `
Examples:
  wayside config check
  wayside config check --json air.yaml
  wayside config check operate.yaml

Exit code: 0 when the device, or the desk, can be started with it, 2 when not.`

const schemaExample = `
Example:
  wayside config schema > wayside.schema.json
  # and as the first line of wayside.yaml, for editors:
  # yaml-language-server: $schema=wayside.schema.json
  wayside config schema --desk > operate.schema.json

Exit code: 0.`
