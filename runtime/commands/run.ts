/** `wayside run`: the device. Senses, signs, stores and sells until it is told to stop. */
import type { Command } from 'commander'
import type { Config } from '../config/config.ts'
import { Fault } from '../faults.ts'
import type { Note } from '../watch/log.ts'
import type { Clock } from '../wire/clock.ts'
import { loadConfig } from './config.ts'

export function runCommand(program: Command): void {
  program
    .command('run')
    .argument('[file]', 'the config', 'wayside.yaml')
    .description('run the device: sense, sign, store, sell, until SIGTERM or Ctrl-C')
    .addHelpText('after', examples)
    .action(run)
}

const examples = `
Examples:
  wayside run
  wayside run /etc/wayside/air.yaml 2>> air.log
  curl -s localhost:9464/health

It writes one JSON object an event to standard error. SIGTERM or Ctrl-C ends it cleanly: the open epochs
are sealed and what is unsent is handed to the broker, or kept for the next start. A second one ends it at
once; what was stored stays stored.
Exit code: 0 ended in order, 1 lost books or another machine, 2 config, keys, folder or port,
130 at a second Ctrl-C.`

async function run(file: string): Promise<void> {
  const config = loadConfig(file)
  const { armFailpoints } = await import('../disk/failpoint.ts')
  armFailpoints(process.env.WAYSIDE_FAILPOINT ?? '')
  const { randomBytes } = await import('#crypto')
  const { lockFolder } = await import('../disk/lock.ts')
  const { bindMachine, machineName } = await import('../disk/machine.ts')
  const { openLog } = await import('../watch/log.ts')
  const { systemClock } = await import('../watch/clock.ts')

  const note = openLog('device', config.watch.log, (line) => process.stderr.write(line))
  const lock = await lockFolder(config.folder)
  try {
    await bindMachine(config.folder, machineName(config.machine), randomBytes)
    const clock = systemClock(config.clock === 'trusted', randomBytes)
    const life: Life = { config, note, clock, random: randomBytes, stop: stopSignal() }
    await live(life).catch(async (cause) => {
      if (!(cause instanceof Fault && cause.code === 'BOOKS_LOST')) throw cause
      if (config.lostBooks === 'stop') throw cause
      // Once: books that are behind again so soon have a twin that publishes.
      note('warn', 'books lost', { why: cause.message })
      const { recoverBooks } = await import('../books/recovery.ts')
      await recoverBooks({ ...life, tell: (sentence) => note('warn', 'recovering', { sentence }) })
      await live(life)
    })
  } finally {
    await lock.release()
  }
}

type Life = {
  readonly config: Config
  readonly note: Note
  readonly clock: Clock
  readonly random: (length: number) => Uint8Array
  readonly stop: AbortSignal
}

/** The device, from its start to its end. */
async function live({ config, note, clock, random, stop }: Life): Promise<void> {
  const { openMetrics } = await import('../watch/metrics.ts')
  const { openWatch } = await import('../watch/watch.ts')
  const { openPortOrRecording } = await import('../sense/playback.ts')
  const { openDevice } = await import('../device.ts')
  const { openWindow } = await import('../watch/http.ts')

  const metrics = openMetrics()
  const watch = openWatch(note, metrics)
  const device = await openDevice({ config, clock, watch, openPort: openPortOrRecording, random })
  metrics.levels(async () => {
    const { store, broker, books } = await device.health()
    return {
      outbox_rows: store.outboxRows,
      outbox_bytes: store.outboxBytes,
      waiting_readings: store.waiting,
      wal_bytes: store.walBytes,
      store_refused: store.full || store.failing ? 1 : 0,
      store_bytes: store.usedBytes,
      pinned_bytes: store.pinnedBytes,
      disk_free_bytes: store.diskBytes,
      broker_connected: broker.connected ? 1 : 0,
      cloned: books === 'cloned' ? 1 : 0,
      broker_certificate_days: broker.certificateDays ?? Number.NaN,
    }
  })
  const views = { health: device.health, metrics: metrics.text }
  try {
    const window = await openWindow(config.watch.host, config.watch.port, views)
    note('info', 'watching', { url: window.url, device: device.key.device })
    try {
      await device.start(stop)
      note('info', 'summary', { ...(await device.health()) })
    } finally {
      await window.close()
    }
  } finally {
    await device.close()
  }
}

/** Aborts at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130)
      stop.abort()
    })
  }
  return stop.signal
}
