/** `wayside record`: what comes out of a port, and when, as a file that can stand in for the port. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { fault } from '../faults.ts'
import type { Serial } from '../sense/driver.ts'
import { openPort } from '../sense/port.ts'
import { recordingHead, recordingLine } from '../sense/recording.ts'
import { pause } from '../time/pause.ts'

export function recordCommand(program: Command): void {
  program
    .command('record')
    .description('write what comes out of a port, and when, to standard output')
    .argument('<port>', 'serial port; `wayside ports` lists them')
    .option('--baud <rate>', 'speed of the line', positive, 9600)
    .addOption(new Option('--parity <parity>').choices(['none', 'even', 'odd']).default('none'))
    .option('--seconds <n>', 'how long; left out, until Ctrl-C', positive)
    .addHelpText('after', examples)
    .action(record)
}

const examples = `
Examples:
  wayside record /dev/ttyUSB0 --seconds 60 > air.recording
  # and in wayside.yaml, in the place of the port:
  # port: recording:air.recording`

type Given = {
  readonly baud: number
  readonly parity: NonNullable<Serial['parity']>
  readonly seconds?: number
}

async function record(path: string, { baud: baudRate, parity, seconds }: Given): Promise<void> {
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const port = await openPort({ path, baudRate, parity })
  const beganMs = performance.now()
  let bytes = 0
  process.stdout.write(recordingHead(path, baudRate))
  port.onData((chunk) => {
    bytes += chunk.length
    const ms = Math.round(performance.now() - beganMs)
    process.stdout.write(recordingLine({ ms, bytes: chunk }))
  })
  const waitMs = Math.min((seconds ?? longestMs) * 1000, longestMs)
  const lost = await Promise.race([pause(waitMs, stop.signal), port.closed])
  await port.close()
  process.off('SIGINT', end)
  process.off('SIGTERM', end)
  process.stderr.write(`${bytes} bytes\n`)
  if (lost instanceof Error) throw fault('PORT_UNREADABLE', { path, why: lost.message }, lost)
  process.exitCode = bytes > 0 ? 0 : 1
}

function positive(written: string): number {
  const number = Number(written)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new InvalidArgumentError('write a whole number above 0')
}

/** A timer can wait no longer: 24 days. */
const longestMs = 2 ** 31 - 1
