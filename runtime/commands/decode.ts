/** `wayside decode`: what a driver makes of raw bytes, frame by frame, before any grouping. */
import type { Command } from 'commander'
import { driversOf, isPackage } from '../config/driverlist.ts'
import { fault } from '../faults.ts'
import { chooseDriver } from '../sense/choose.ts'
import { type Decoder, decoder, type Heard } from '../sense/decoder.ts'
import { allSaid, type Driver, unitsOf } from '../sense/driver.ts'
import type { Value } from '../wire/reading.ts'
import { chunksOf, hexDigits } from './decodeinput.ts'
import { addOptionFlag, addWithFlag, type OptionFlag, type WithFlag } from './driverflags.ts'

export function decodeCommand(program: Command): void {
  const command = program
    .command('decode')
    .description('print what a driver makes of raw bytes, one JSON object a frame')
    .argument(
      '<driver>',
      'a driver or a model, such as plantower or pms5003; a package with one; or a sensor of --config',
    )
    .argument(
      '[file]',
      'raw bytes as they came from the line, or a recording; standard input when left out',
    )
    .option('--json', 'taken as everywhere: it prints nothing else anyway')
    .option('--doubts', 'print what was refused, and why, as well')
    .option('--hex', 'the input is hex digits, as many tools print them: xxd, hexdump -C, logs')
    .option('--no-checksum', 'read frames with a wrong or no checksum too, and say `unchecked`')
    .option('--key <hex>', 'short for --option key=HEX, of a line that is encrypted')
    .option('--profile <name>', 'short for --option profile=NAME: of ours, or the path of a table')
    .option('--request <hex>', 'the question that the bytes answer, as a whole frame')
    .option('--config <file>', 'take options, tables, keys and packages from this config')
  addWithFlag(addOptionFlag(command)).addHelpText('after', examples).action(decode)
}

const examples = `
Examples:
  wayside decode nmea0183 track.log
  wayside decode modbus line.bin
  wayside decode vedirect --no-checksum copied-from-a-forum.txt
  wayside decode dsmr --key 0123456789abcdef0123456789abcdef sealed.bin
  wayside decode modbus --profile sdm120 --request 01040000000271cb answer.bin
  wayside decode pms5003 --doubts < capture.bin
  wayside decode garden --config wayside.yaml air.recording
  wayside decode wayside-soil soil.bin        its package is in node_modules
  wayside decode ./soil.js soil.bin           a driver in the making
  wayside decode rain --with wayside-weather rain.bin
  stty -F /dev/ttyUSB0 9600 raw && wayside decode nmea0183 /dev/ttyUSB0
  echo 424d001400000000000000000000000000000000005100f4 | wayside decode plantower --hex

Exit code: 0 when a frame was decoded, 1 when none was, 2 for a wrong name, option or file.`

type Options = WithFlag &
  OptionFlag & {
    readonly doubts?: true
    readonly hex?: true
    readonly checksum: boolean
    readonly key?: string
    readonly profile?: string
    readonly request?: string
    readonly config?: string
  }

async function decode(named: string, file: string | undefined, given: Options): Promise<void> {
  const { driver, options } =
    given.config === undefined ? await chosen(named, given) : await ofConfig(named, given)
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

  for await (const { bytes, asked: isAsked } of chunksOf(file ?? '-', given.hex === true)) {
    // Whoever shares a line is told by the question what an answer is about; others would only doubt it.
    if (!isAsked || driver.bus !== undefined) await print(work.push(bytes))
  }
  await print(work.finish())
  process.stderr.write(`${summary(work, count)}\n`)
  process.exitCode = count.decoded > 0 ? 0 : 1
}

type Drivers = readonly Driver[]

/** The driver that is named, with the options that are written here. */
async function chosen(named: string, given: Options) {
  const { name, drivers } = known(named, given.with ?? [])
  return chooseDriver(
    drivers,
    name,
    await withTables(name, optionsOf(name, drivers, given), drivers),
  )
}

/** The sensor of the config that is named, or a driver that the config knows; what is written here comes first. */
async function ofConfig(named: string, given: Options) {
  const { loadConfig } = await import('./config.ts')
  const config = loadConfig(given.config ?? '')
  const packages = [...(config.drivers ?? []), ...(given.with ?? [])]
  const sensor = config.sensors.find(({ name }) => name === named)
  const { name, drivers } = known(sensor?.driver ?? named, packages, config.sensors)
  const written = await withTables(name, optionsOf(name, drivers, given), drivers)
  return chooseDriver(drivers, name, { ...sensor?.options, ...written })
}

/** The drivers that may be named, and which is: a package may stand for the only one that it brings. */
function known(
  name: string,
  packages: readonly string[],
  sensors: readonly { readonly name: string }[] = [],
): { name: string; drivers: Drivers } {
  const drivers = driversOf(packages)
  const names = drivers.flatMap(({ id, models }) => [
    id,
    ...Object.keys(models).flatMap((model) => [model, `${id}.${model}`]),
  ])
  const isDriver = names.includes(name.toLowerCase())
  if (!isDriver && sensors.length > 0) {
    const near = sensors.map((sensor) => sensor.name).join(' or ')
    throw fault('DRIVER_UNKNOWN', { driver: name, near })
  }
  if (isDriver || !isPackage(name)) return { name, drivers }
  const more = driversOf([...packages, name])
  const brought = more.slice(drivers.length).map(({ id }) => id)
  const [only] = brought
  if (brought.length === 1 && only !== undefined) return { name: only, drivers: more }
  const near = brought.map((id) => `${id} --with ${name}`).join(' or ')
  throw fault('DRIVER_UNKNOWN', { driver: name, near })
}

/** What is written for the driver, the short forms among it. */
function optionsOf(name: string, drivers: Drivers, { option, profile, key, checksum }: Options) {
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
async function withTables(
  name: string,
  written: NonNullable<OptionFlag['option']>,
  drivers: Drivers,
) {
  if (!Object.values(written).some((value) => /[./]/.test(value))) return written
  const { readTables } = await import('../config/sensorcheck.ts')
  return readTables(name, written, '.', drivers)
}

/** Lets the driver hear the question before its answers. Its length in bytes. */
function ask(driver: Driver, work: Decoder, request: string): number {
  const digits = digitsOf(request)
  const frame = Buffer.from(digits, 'hex')
  work.push(frame)
  if (digits.length === 2 * frame.length && work.frames() === 1) return frame.length
  throw fault('DRIVER_OPTION_INVALID', {
    ...{ driver: driver.id, option: '--request', written: `"${request}"` },
    allowed: 'one whole frame in hex digits, with its checksum',
  })
}

/** None where it is something else: no frame is so short. */
function digitsOf(written: string): string {
  try {
    return hexDigits(written)
  } catch {
    return ''
  }
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

/** Writes to standard output at the reader's pace. */
function write(text: string): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(text, (error) => (error ? fail(error) : done()))
  })
}
