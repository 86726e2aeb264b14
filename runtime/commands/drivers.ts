/** `wayside drivers`: every driver, its options, fields and units; docs/drivers.md is this text. */
import type { Command } from 'commander'
import { driversOf } from '../config/driverlist.ts'
import { chooseDriver } from '../sense/choose.ts'
import type { Driver } from '../sense/driver.ts'
import { type Unit, units } from '../wire/units.ts'
import { addWithFlag, type WithFlag } from './driverflags.ts'

export function driversCommand(program: Command): void {
  const command = program
    .command('drivers')
    .description('list the drivers, or the options and fields of one')
    .argument('[driver]', 'show this one in full')
    .option('--json', 'for programs')
    .option('--markdown', 'the page docs/drivers.md')
  addWithFlag(command).addHelpText('after', examples).action(show)
}

const examples = `
Examples:
  wayside drivers
  wayside drivers nmea0183
  wayside drivers soil --with wayside-soil

Exit code: 0, or 2 when there is no such driver or package.`

type Given = WithFlag & { readonly json?: true; readonly markdown?: true }

function show(name: string | undefined, given: Given): void {
  const drivers = driversOf(given.with ?? [])
  const chosen = name === undefined ? drivers : [chooseDriver(drivers, name).driver]
  if (given.json) process.stdout.write(`${JSON.stringify(chosen.map(described), null, 2)}\n`)
  else if (given.markdown) process.stdout.write(driversPage(chosen))
  else if (name === undefined) process.stdout.write(chosen.map(oneLine).join(''))
  else process.stdout.write(chosen.map(inFull).join('\n'))
}

function oneLine({ id, title }: Driver): string {
  return `${id.padEnd(12)}${title}\n`
}

function inFull(driver: Driver): string {
  const { id, title, models, serial, silenceMs, warmUpMs } = driver
  const options = Object.entries(driver.options).map(
    ([name, { title: what, allowed, fallback: value, fallbackText: fallback = value }]) =>
      `  ${name.padEnd(24)}${what}: ${allowed}${fallback === undefined ? '' : ` (${fallback})`}`,
  )
  const fields = Object.entries(driver.fields).map(
    ([name, { title: what, unit, detail }]) =>
      `  ${name.padEnd(24)}${(unit ?? '').padEnd(8)}${what}${detail ? ' (decode only)' : ''}`,
  )
  return [
    `${id}: ${title}`,
    `models    ${Object.keys(models).join(' ')}`,
    `serial    ${serial.baudRate} baud; silent after ${silenceMs} ms; warm-up ${warmUpMs} ms`,
    `check     ${driver.check ?? 'none: all readings are unchecked'}`,
    'options',
    ...options,
    'fields',
    ...fields,
    '',
  ].join('\n')
}

/** What a program may want to know of a driver. */
function described(driver: Driver) {
  const { id, title, models, serial, otherBaudRates, warmUpMs, silenceMs, fields } = driver
  const options = Object.fromEntries(
    Object.entries(driver.options).map(([name, { title: what, allowed, fallback }]) => [
      name,
      { title: what, allowed, default: fallback },
    ]),
  )
  const { check = null } = driver
  return { id, title, models, serial, otherBaudRates, check, warmUpMs, silenceMs, options, fields }
}

/** docs/drivers.md. */
export function driversPage(shown: readonly Driver[]): string {
  return `# Drivers

One section a driver: what to write in \`wayside.yaml\`, and every field its readings can have. Fields marked
_decode only_ are shown by \`wayside decode\` and left out of readings. Units are SenML registry codes
(RFC 8428, RFC 8798), or UCUM where the registry has none. This page is \`wayside drivers --markdown\`.

A field is absent where the device does not know it or calls it not available: it is never a number that stands
for that. A frame that is intact and yet not believed is a doubt with its reason, and the next frame counts
again: \`wayside decode DRIVER FILE --doubts\` shows them.
${shown.map(section).join('')}
## Units

All that a field may have, also in [a table of one's own](add-a-driver.md#7-a-modbus-device-a-table-and-no-code).

| unit | name | of |
| --- | --- | --- |
${(Object.keys(units) as Unit[]).map(unitRow).join('\n')}
`
}

function unitRow(unit: Unit): string {
  const { name, source } = units[unit]
  return `| \`${unit}\` | ${name} | ${source} |`
}

function section(driver: Driver): string {
  const { id, title, models, serial, otherBaudRates, warmUpMs, silenceMs } = driver
  const options = Object.entries(driver.options).map(
    ([name, { title: what, allowed, fallback: value, fallbackText: fallback = value }]) =>
      `| \`${name}\` | ${what} | ${allowed} | ${fallback ?? ''} |`,
  )
  const fields = Object.entries(driver.fields).map(
    ([name, { title: what, unit, type, detail }]) =>
      `| \`${name}\` | ${unit === undefined ? '' : `\`${unit}\``} | ${type} | ${what}${detail ? ' (_decode only_)' : ''} |`,
  )
  const [model] = driver.under === undefined ? [] : Object.keys(models)
  const each = model === undefined ? '' : `\n- fields of one of them: \`wayside drivers ${model}\``
  const others = otherBaudRates.length === 0 ? '' : `, also met at ${otherBaudRates.join(', ')}`
  return `
## ${id}

${title}.

- names: ${[id, ...Object.keys(models).map((model) => `${id}.${model}`)].map((name) => `\`${name}\``).join(', ')}${each}
- line: ${serial.baudRate} baud${others}
- check: ${driver.check ?? 'none: all readings are `unchecked`'}
- after ${silenceMs} ms without a frame the port is opened anew; frames of the first ${warmUpMs} ms after a silence are doubts

| option | what it says | allowed | default |
| --- | --- | --- | --- |
${options.join('\n')}

| field | unit | type | what it is |
| --- | --- | --- | --- |
${fields.join('\n')}
`
}
