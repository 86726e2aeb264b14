/** `wayside run`: the device. Senses, signs, stores and sells until it is told to stop. */
import type { Command } from 'commander'
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
once; what was stored stays stored.`

async function run(file: string): Promise<void> {
  const config = loadConfig(file)
  const { armFailpoints } = await import('../disk/failpoint.ts')
  armFailpoints(process.env.WAYSIDE_FAILPOINT ?? '')
  const { randomBytes } = await import('#crypto')
  const { lockFolder } = await import('../disk/lock.ts')
  const { openLog } = await import('../watch/log.ts')
  const { openMetrics } = await import('../watch/metrics.ts')
  const { openWatch } = await import('../watch/watch.ts')
  const { systemClock } = await import('../watch/clock.ts')
  const { openPort } = await import('../sense/port.ts')
  const { openDevice } = await import('../device.ts')
  const { openWindow } = await import('../watch/http.ts')

  const note = openLog('device', config.watch.log, (line) => process.stderr.write(line))
  const metrics = openMetrics()
  const watch = openWatch(note, metrics)
  const lock = await lockFolder(config.folder)
  const stop = stopSignal()
  const device = await openDevice({
    config,
    clock: systemClock(config.clock === 'trusted', randomBytes),
    watch,
    openPort,
    random: randomBytes,
  })
  metrics.levels(async () => {
    const { store, broker } = await device.health()
    return {
      outbox_rows: store.outboxRows,
      outbox_bytes: store.outboxBytes,
      waiting_readings: store.waiting,
      wal_bytes: store.walBytes,
      broker_connected: broker.connected ? 1 : 0,
      broker_certificate_days: broker.certificateDays ?? Number.NaN,
    }
  })
  const views = { health: device.health, metrics: metrics.text }
  const window = await openWindow(config.watch.host, config.watch.port, views)
  note('info', 'watching', { url: window.url, device: device.key.device })
  try {
    await device.start(stop)
    note('info', 'summary', { ...(await device.health()) })
  } finally {
    await window.close()
    await device.close()
    await lock.release()
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
