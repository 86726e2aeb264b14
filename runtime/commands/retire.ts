/** `wayside retire`: takes away everything that a device has left at its broker. */
import type { Command } from 'commander'
import type { Config } from '../config/config.ts'
import { type Fault, fault } from '../faults.ts'
import type { Broker } from '../link/broker.ts'
import type { Store } from '../store/client.ts'
import { loadConfig } from './config.ts'
import { stopSignal } from './run.ts'

export function retireCommand(program: Command): void {
  program
    .command('retire')
    .argument('[file]', 'the config', 'wayside.yaml')
    .description('take away everything that this device has left retained at its broker')
    .option('--json', 'the outcome as one JSON object')
    .addHelpText('after', examples)
    .action(retire)
}

async function retire(file: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  const config = loadConfig(file)
  const { access } = await import('node:fs/promises')
  const { lockFolder } = await import('../disk/lock.ts')
  const { openStore } = await import('../store/client.ts')
  const { openDeviceKey } = await import('../sign/key.ts')
  const path = `${config.folder}/device.key`
  await access(path).catch((cause) => {
    throw fault('INPUT_UNREADABLE', { path, why: 'there is no device in that folder' }, cause)
  })
  const lock = await lockFolder(config.folder)
  try {
    const { device } = await openDeviceKey(config.folder)
    const store = await openStore({ path: `${config.folder}/store.sqlite` })
    try {
      const { takeAllDown } = await import('../stream/shelf.ts')
      const topics = await takeAllDown(store)
      const { left, why } = await send(config, device, store)
      if (json) console.log(JSON.stringify({ device, topics, left }))
      if (why !== undefined) throw why
      if (!json) console.log(`${device} has left nothing at ${config.broker.url}`)
    } finally {
      await store.close()
    }
  } finally {
    await lock.release()
  }
}

/** Sends what is on its way until nothing of it is retained any more; says what is left, and why. */
async function send(config: Config, device: string, store: Store) {
  const { openBroker } = await import('../link/broker.ts')
  const { outbox } = await import('../stream/outbox.ts')
  const { url } = config.broker
  console.error(`connecting to ${url} …`)
  // No kept session: what the broker held for us goes too.
  const broker = openBroker({ ...config.broker, clientId: device })
  const out = outbox({ store, publish: broker.publish, refusedMs: patienceMs })
  const end = new AbortController()
  const stop = stopSignal()
  const sending = out.start(end.signal)
  broker.onConnect(out.look)
  try {
    await broker.ready(reachMs).catch(() => {})
    const left = await untilAcked(store, broker, stop)
    const code = { left, url, why: whyOf(broker) }
    return { left, ...(left === 0 ? {} : { why: fault('RETAINED_LEFT', code) }) }
  } finally {
    end.abort()
    await sending
    await broker.close()
  }
}

/** How many topics are left when all are acknowledged, or when for a while none was. */
async function untilAcked(store: Store, broker: Broker, stop: AbortSignal): Promise<number> {
  const { pause } = await import('../time/pause.ts')
  let before = Number.POSITIVE_INFINITY
  let sinceMs = performance.now()
  for (;;) {
    const { outboxRows } = await store.counts()
    const { length: left } = await store.retainedTopics()
    const isStuck = performance.now() - sinceMs > patienceMs
    if (left === 0 || stop.aborted || isStuck || !broker.connected()) return left
    if (outboxRows < before) {
      console.error(`${left} topics, ${outboxRows} messages to go`)
      before = outboxRows
      sinceMs = performance.now()
    }
    await pause(lookMs, stop)
  }
}

function whyOf(broker: Broker): string {
  const [trouble]: readonly Fault[] = broker.state().troubles
  if (trouble !== undefined) return trouble.message
  return broker.connected() ? 'it acknowledges nothing more' : 'there is no line to it'
}

const lookMs = 200
const reachMs = 5_000
/** So long without one more PUBACK is long enough. */
const patienceMs = 10_000

const examples = `
Examples:
  wayside retire                   before a device is sold, scrapped, or moved to another broker
  wayside retire /etc/wayside/air.yaml --json

Stop the device first. Offer, setups, index, status and the keys of sessions are taken away, and the broker
has acknowledged every one of them. What is not acknowledged stays noted: the same command goes on later.
Readings, keys and books stay in the folder; \`wayside run\` would publish all of it again.
Exit code: 0 nothing is left, 2 config or folder, 3 the broker is away or refuses; how much is left is said.`
