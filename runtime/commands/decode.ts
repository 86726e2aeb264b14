/** `wayside decode`: what a driver makes of raw bytes, frame by frame, before any grouping. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { drivers } from '../../drivers/index.ts'
import { fault } from '../faults.ts'
import { chooseDriver } from '../sense/choose.ts'
import { type Decoder, decoder, type Heard } from '../sense/decoder.ts'
import { allSaid, type Driver, unitsOf } from '../sense/driver.ts'
import type { Value } from '../wire/reading.ts'

export function decodeCommand(program: Command): void {
  program
    .command('decode')
    .description('print what a driver makes of raw bytes, one JSON object a frame')
    .argument('<driver>', 'a driver or a model, such as plantower, pms5003 or nmea0183')
    .argument('[file]', 'raw bytes as they came from the line; standard input when left out')
    .option('--doubts', 'print what was refused, and why, as well')
    .option('--hex', 'the input is hex digits, as many tools print them')
    .option('--no-checksum', 'read frames with a wrong checksum too, and say `unchecked`')
    .option('--key <hex>', 'short for --option key=HEX, of a line that is encrypted')
    .option('--profile <name>', 'short for --option profile=NAME: of ours, or the path of a table')
    .option('--request <hex>', 'the question that the bytes answer, as a whole frame')
    .option('--option <name=value>', 'an option of the driver; may be repeated', collect, {})
    .addHelpText('after', examples)
    .action(decode)
}

const examples = `
Examples:
  wayside decode nmea0183 track.log
  wayside decode modbus line.bin
  wayside decode vedirect --no-checksum copied-from-a-forum.txt
  wayside decode dsmr --key 0123456789abcdef0123456789abcdef sealed.bin
  wayside decode modbus --profile sdm120 --request 01040000000271cb answer.bin
  wayside decode pms5003 --doubts < capture.bin
  stty -F /dev/ttyUSB0 9600 raw && wayside decode nmea0183 /dev/ttyUSB0
  echo 424d001400000000000000000000000000000000005100f4 | wayside decode plantower --hex

Exit code: 0 when a frame was decoded, 1 when none was, 2 for a wrong name, option or file.`

type Options = {
  readonly doubts?: true
  readonly hex?: true
  readonly checksum: boolean
  readonly key?: string
  readonly profile?: string
  readonly request?: string
  readonly option: Readonly<Record<string, string>>
}

async function decode(name: string, file: string | undefined, given: Options): Promise<void> {
  const written = await withTables(name, optionsOf(name, given))
  const { driver, options } = chooseDriver(drivers, name, written)
  const work = decoder(driver, options, given.checksum ? undefined : 'checksums')
  const asked = given.request === undefined ? 0 : ask(driver, work, given.request)
  const count = { decoded: 0, doubts: 0 }

  async function print(heard: readonly Heard[]) {
    let lines = ''
    for (const one of heard) {
      count[one.said.ok ? 'decoded' : 'doubts'] += 1
      const { offset, said } = one
      if (said.ok || given.doubts) lines += `${line(driver, { offset: offset - asked, said })}\n`
    }
    if (lines !== '') await write(lines)
  }

  for await (const chunk of bytesOf(file, given.hex === true)) await print(work.push(chunk))
  await print(work.finish())
  process.stderr.write(`${summary(work, count)}\n`)
  process.exitCode = count.decoded > 0 ? 0 : 1
}

/** What is written for the driver, the short forms among it. */
function optionsOf(name: string, { option, profile, key, checksum }: Options) {
  // A driver of sentences that may go without one has a word for it: nmea0183.
  const hasWord = !checksum && 'checksum' in chooseDriver(drivers, name).driver.options
  return {
    ...(hasWord && { checksum: 'optional' }),
    ...option,
    ...(profile !== undefined && { profile }),
    ...(key !== undefined && { key }),
  }
}

/** The options with the tables that they name; what reads YAML is loaded where one may be named. */
async function withTables(name: string, written: Readonly<Record<string, string>>) {
  if (!Object.values(written).some((value) => /[./]/.test(value))) return written
  const { readTables } = await import('../sensorcheck.ts')
  return readTables(name, written, '.')
}

/** Lets the driver hear the question before its answers. Its length in bytes. */
function ask(driver: Driver, work: Decoder, request: string): number {
  const digits = request.replace(/0x|[\s,:]/gi, '')
  const frame = Buffer.from(digits, 'hex')
  work.push(frame)
  if (digits.length === 2 * frame.length && work.frames() === 1) return frame.length
  throw fault('DRIVER_OPTION_INVALID', {
    ...{ driver: driver.id, option: '--request', written: `"${request}"` },
    allowed: 'one whole frame in hex digits, with its checksum',
  })
}

/** One frame as one JSON object; counters past 2^53 are written as exact number literals. */
export function line(driver: Driver, { offset, said }: Heard): string {
  if (!said.ok) {
    const { doubt, detail } = said
    return JSON.stringify({ driver: driver.id, offset, doubt, detail })
  }
  const { subject, time } = said
  const head = JSON.stringify({ driver: driver.id, offset, subject, time })
  const fields = Object.entries(allSaid(said)).map(([key, value]) => `"${key}":${literal(value)}`)
  const units = JSON.stringify(unitsOf(driver, said))
  return `${head.slice(0, -1)},"values":{${fields.join(',')}},"units":${units}}`
}

function literal(value: Value): string {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64url'))
  return JSON.stringify(value)
}

function summary(work: Decoder, { decoded, doubts }: { decoded: number; doubts: number }): string {
  return `${decoded} decoded, ${doubts} doubted, ${work.skipped()} bytes skipped`
}

/** The input in chunks. Throws the fault INPUT_UNREADABLE. */
async function* bytesOf(file: string | undefined, hex: boolean): AsyncGenerator<Uint8Array> {
  const path = file ?? '-'
  const stream: Readable = path === '-' ? process.stdin : createReadStream(path)
  let odd = ''
  try {
    for await (const chunk of stream) {
      if (!hex) {
        yield chunk
        continue
      }
      const digits = odd + (chunk as Buffer).toString('latin1').replace(/0x|[\s,:]/gi, '')
      if (/[^0-9a-f]/i.test(digits)) throw new Error('it is not hex digits')
      const whole = digits.length - (digits.length % 2)
      odd = digits.slice(whole)
      yield Buffer.from(digits.slice(0, whole), 'hex')
    }
  } catch (error) {
    throw fault('INPUT_UNREADABLE', { path, why: (error as Error).message }, error)
  }
}

/** Writes to standard output at the reader's pace. */
function write(text: string): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(text, (error) => (error ? fail(error) : done()))
  })
}

function collect(pair: string, before: Readonly<Record<string, string>>) {
  const at = pair.indexOf('=')
  return { ...before, [at < 0 ? pair : pair.slice(0, at)]: at < 0 ? 'true' : pair.slice(at + 1) }
}
