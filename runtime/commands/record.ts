/** `wayside record`: what goes over a line, and when, as a file that can stand in for the port. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { driversOf } from '../config/driverlist.ts'
import { type Fault, fault } from '../faults.ts'
import type { SensorHealth, Supervised } from '../sense/book.ts'
import { chooseDriver } from '../sense/choose.ts'
import type { Serial } from '../sense/driver.ts'
import { portAt } from '../sense/find.ts'
import { type OpenPort, openPort } from '../sense/port.ts'
import { type Recorded, recordingHead, recordingLine } from '../sense/recording.ts'
import { superviseAll } from '../sense/supervisor.ts'
import { taped } from '../sense/tape.ts'
import { aborted, pause } from '../time/pause.ts'
import type { Clock } from '../wire/clock.ts'
import { addOptionFlag, addWithFlag, type OptionFlag, type WithFlag } from './driverflags.ts'

export function recordCommand(program: Command): void {
  const command = program
    .command('record')
    .description('write what goes over a line, and when, to standard output')
    .argument('<port>', 'serial port; `wayside ports` lists them. With --config a sensor will do')
    .option('--baud <rate>', "speed of the line; left out, the driver's, or 9600", positive)
    .addOption(new Option('--parity <parity>').choices(['none', 'even', 'odd']))
    .option('--seconds <n>', 'how long; left out, until Ctrl-C', positive)
    .option('--driver <name>', 'ask as this driver does, and record that too')
    .option('--config <file>', 'ask as the sensors of this config do that are on the port')
  addWithFlag(addOptionFlag(command)).addHelpText('after', examples).action(record)
}

const examples = `
Examples:
  wayside record /dev/ttyUSB0 --seconds 60 > air.recording
  wayside record /dev/ttyUSB0 --driver mhz19 --seconds 60 > co2.recording
  wayside record /dev/ttyUSB0 --driver modbus --option profile=sdm120 > meter.recording
  wayside record heat --config wayside.yaml --seconds 60 > cellar.recording
  # and in wayside.yaml, in the place of the port:
  # port: recording:air.recording

Without a driver nothing is sent. A recording with questions in it answers them when it is played.
Exit code: 0 when something was heard, 1 when nothing was, 2 when the port cannot be opened.`

type Given = WithFlag &
  OptionFlag & {
    readonly baud?: number
    readonly parity?: NonNullable<Serial['parity']>
    readonly seconds?: number
    readonly driver?: string
    readonly config?: string
  }

async function record(named: string, given: Given): Promise<void> {
  const sensors = await sensorsOf(named, given)
  const { path = named, driver } = sensors[0] ?? {}
  const { baud: baudRate = driver?.serial.baudRate ?? 9600, seconds } = given
  const { parity = driver?.serial.parity ?? 'none' } = given
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const count = { heard: 0, asked: 0 }
  const open = openTaped((row) => {
    count[row.asked ? 'asked' : 'heard'] += row.bytes.length
  })
  const line = { path, ...driver?.serial, baudRate, parity }
  const hearing =
    sensors.length > 0 ? ask(sensors, line, open, stop) : hear(line, open, stop.signal)
  const work = hearing.catch((error) => refused(path, error))
  const waitMs = Math.min((seconds ?? longestMs) * 1000, longestMs)
  await Promise.race([work, pause(waitMs, stop.signal)]).finally(end)
  const summary = await work
  process.off('SIGINT', end)
  process.off('SIGTERM', end)
  const asked = sensors.length > 0 ? ` and ${count.asked} sent` : ''
  process.stderr.write(`${count.heard} bytes heard${asked}\n${summary}`)
  process.exitCode = count.heard > 0 ? 0 : 1
}

type Sensor = Pick<Supervised, 'name' | 'path' | 'driver' | 'options'>

/** Whoever asks on this line: none, the one of --driver, or those of the config that share the port. */
async function sensorsOf(named: string, given: Given): Promise<readonly Sensor[]> {
  if (given.config === undefined) {
    if (given.driver === undefined) return []
    const { readTables } = await import('../config/sensorcheck.ts')
    const drivers = driversOf(given.with ?? [])
    const written = readTables(given.driver, given.option ?? {}, '.', drivers)
    return [{ name: given.driver, path: named, ...chooseDriver(drivers, given.driver, written) }]
  }
  const { loadConfig } = await import('./config.ts')
  const { sensorPlan } = await import('../config/catalogue.ts')
  const config = loadConfig(given.config)
  const port = config.sensors.find(({ name }) => name === named)?.port ?? named
  const drivers = driversOf(config.drivers)
  const sensors = config.sensors.filter((sensor) => sensor.port === port)
  if (sensors.length > 0) return sensors.map((sensor) => sensorPlan(sensor, drivers))
  throw fault('PORT_UNREADABLE', { path: named, why: `no sensor of ${given.config} is there` })
}

/** Ports whose every row goes to standard output, below the head of the first opening. */
function openTaped(count: (row: Recorded) => void): OpenPort {
  let beganMs: number | undefined
  const open: OpenPort = async (line) => {
    const port = await openPort(line)
    if (beganMs === undefined) process.stdout.write(recordingHead(line.path, line.baudRate))
    beganMs ??= performance.now()
    return port
  }
  const nowMs = () => Math.round(performance.now() - (beganMs ?? 0))
  return taped(open, nowMs, (row) => {
    count(row)
    process.stdout.write(recordingLine(row))
  })
}

type Line = Parameters<OpenPort>[0]

/** Only listens. Throws the fault PORT_UNREADABLE, when the line is lost too. */
async function hear(line: Line, open: OpenPort, signal: AbortSignal): Promise<string> {
  const port = await open(line)
  port.onData(() => {})
  const lost = await Promise.race([aborted(signal), port.closed])
  await port.close()
  if (!(lost instanceof Error)) return ''
  throw fault('PORT_UNREADABLE', { path: line.path, why: lost.message }, lost)
}

/** Asks as a device would, a lost line opened anew. Throws when it cannot be opened the first time. */
async function ask(
  sensors: readonly Sensor[],
  { path: _, ...serial }: Line,
  open: OpenPort,
  stop: AbortController,
): Promise<string> {
  let opened = false
  let failure: unknown
  const openFirst: OpenPort = async (line) => {
    try {
      const port = await open(line)
      opened = true
      return port
    } catch (error) {
      if (opened) throw error
      failure = error
      stop.abort()
      throw error
    }
  }
  const lines = superviseAll(
    sensors.map((sensor) => ({
      ...{ ...sensor, serial, open: openFirst, clock },
      moment: () => {},
      doubt: () => {},
      note: (says) => process.stderr.write(`${sensor.name}: ${says}\n`),
    })),
  )
  await Promise.all(lines.map((one) => one.start(stop.signal)))
  if (failure !== undefined) throw failure
  return lines.flatMap((one) => one.health().map(wordsOf)).join('')
}

/** Says of a port that cannot be opened who else has it, when that is seen. */
async function refused(path: string, error: unknown): Promise<never> {
  const { code, facts } = error as Partial<Fault>
  const remarks = code === 'PORT_UNREADABLE' ? (await portAt(path)).remarks : []
  const holder = remarks.find((remark) => remark.endsWith('has it open'))
  if (holder === undefined) throw error
  throw fault('PORT_UNREADABLE', { path, why: `${facts?.why}; ${holder}` }, error)
}

/** Readings carry no time here: the rows have their own. */
const clock: Clock = {
  boot: '00'.repeat(16),
  monotonicMs: () => Math.round(performance.now()),
  wall: () => undefined,
}

function wordsOf({ name, moments, doubts }: SensorHealth): string {
  const each = Object.entries(doubts).map(([reason, times]) => `, ${times} times \`${reason}\``)
  return `${name}: ${moments} readings${each.join('')}\n`
}

function positive(written: string): number {
  const number = Number(written)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new InvalidArgumentError('write a whole number above 0')
}

/** A timer can wait no longer: 24 days. */
const longestMs = 2 ** 31 - 1
