/** Whether a value from outside is a driver in our words: what TypeScript checks of ours, and what it cannot. */
import { isFieldName } from '../wire/reading.ts'
import { isUnit } from '../wire/units.ts'
import type { Driver } from './driver.ts'
import { readOptions } from './options.ts'

/** What is wrong with it, each in words that follow its name; empty when it is a driver. */
export function wrongWith(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [`is no driver but ${typeOf(value)}`]
  const driver = value as Driver
  const shapes = Object.entries(members).flatMap(([name, wanted]) => {
    const found = typeOf((value as Record<string, unknown>)[name])
    const may = wanted.endsWith('?') ? [wanted.slice(0, -1), 'undefined'] : [wanted]
    if (may.includes(found)) return []
    return [`has ${found === 'undefined' ? 'no' : `${found} as`} \`${name}\`: ${article(wanted)}`]
  })
  return shapes.length > 0 ? shapes : contents(driver)
}

/** The largest frame that any shape may claim: so much is held of a line that says nothing else. */
const frameMax = 16_384

const members: Readonly<Record<string, string>> = {
  ...{ id: 'text', title: 'text', models: 'object', serial: 'object', otherBaudRates: 'list' },
  ...{ warmUpMs: 'number', silenceMs: 'number', options: 'object', fields: 'object' },
  ...{ shape: 'object', begin: 'function', decode: 'function', check: 'text?' },
  ...{ moments: 'object?', ask: 'function?', under: 'function?', fieldsWith: 'function?' },
  ...{ bus: 'object?', questions: 'list?', asking: 'object?' },
}

function contents(driver: Driver): string[] {
  const { id, title, serial, silenceMs, warmUpMs, fields, models, options, shape } = driver
  const found: string[] = []
  const hold = (holds: boolean, otherwise: string) => {
    if (!holds) found.push(otherwise)
  }
  hold(/^[a-z][a-z0-9-]{1,30}$/.test(id), 'has an `id` that is not small letters, digits and -')
  hold(title.length > 0 && title.length <= 100, 'has a `title` that is not of 1 to 100 characters')
  hold(Number.isInteger(serial.baudRate) && serial.baudRate >= 300, 'has no `serial.baudRate`')
  hold(silenceMs >= 1_000, 'has a `silenceMs` below 1,000')
  hold(warmUpMs >= 0, 'has a `warmUpMs` below 0')
  hold(shape.starts instanceof Uint8Array, 'has no `shape.starts`')
  hold(shape.idle instanceof Uint8Array, 'has no `shape.idle`')
  hold(shape.sizeMax > 0 && shape.sizeMax <= frameMax, `has a \`shape.sizeMax\` over ${frameMax}`)
  hold(typeof shape.size === 'function', 'has no `shape.size`')
  hold(typeof shape.flaw === 'function', 'has no `shape.flaw`')
  for (const [name, { title: what, type, unit }] of Object.entries(fields)) {
    hold(isFieldName(name), `has a field ${name}, which is no name of a field`)
    hold(what?.length > 0 && what.length < 100, `has no title for the field ${name}`)
    hold(fieldTypes.includes(type), `has no type for the field ${name}`)
    hold(unit === undefined || isUnit(unit), `has the field ${name} in ${unit}, which is no unit`)
  }
  for (const [name, option] of Object.entries(options)) {
    hold(typeof option.read === 'function', `has an option ${name} that reads nothing`)
  }
  if (found.length === 0) {
    for (const [model, given] of Object.entries(models)) {
      hold(readable(driver, given), `has a model ${model} that its own options refuse`)
    }
    hold(readable(driver, driver.asking ?? {}), 'has `asking` that its own options refuse')
  }
  return found
}

const fieldTypes = ['number', 'integer', 'boolean', 'text']

function readable(driver: Driver, given: Driver['models'][string]): boolean {
  try {
    readOptions(driver, given)
    return true
  } catch {
    return false
  }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (value === null) return 'nothing'
  return typeof value === 'string' ? 'text' : typeof value
}

function article(wanted: string): string {
  return `it must be ${wanted === 'object' ? 'an' : 'a'} ${wanted.replace('?', '')}`
}
