/** `wayside config`: checks a wayside.yaml before a device depends on it. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type Config, configJsonSchema, configSchema } from '../config.ts'
import { fault } from '../faults.ts'
import { type Checked, configFault, readYaml } from '../yamlfile.ts'

export function configCommand(program: Command): void {
  const config = program.command('config').description('check a config, or print its schema')

  config
    .command('check')
    .argument('[file]', 'the config', 'wayside.yaml')
    .option('--json', 'print {"ok", "problems": [{"line", "column", "what", "hint"}]}')
    .description('read a config and say of every mistake where it is and how to cure it')
    .addHelpText(
      'after',
      '\nExamples:\n  wayside config check\n  wayside config check --json air.yaml',
    )
    .action((file: string, { json }: { json?: boolean }) => {
      const checked = checkConfig(file)
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
    .addHelpText('after', '\nExample:\n  wayside config schema > wayside.schema.json')
    .action(() => console.log(JSON.stringify(configJsonSchema(), null, 2)))
}

/** The config in this file. Throws CONFIG_UNREADABLE, or CONFIG_INVALID with the first problem. */
export function loadConfig(file: string): Config {
  const checked = checkConfig(file)
  if (checked.ok) return checked.value
  throw configFault(file, checked.problems)
}

function checkConfig(file: string): Checked<Config> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw fault('CONFIG_UNREADABLE', { path: file, why: (cause as Error).message }, cause)
  }
  return readYaml(configSchema, text)
}

function summary({ sensors, models }: Config): string {
  const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
  return `${count(sensors.length, 'sensor')} and ${count(models.length, 'model')}`
}
