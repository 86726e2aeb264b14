/**
 * The eavesdropper: subscribes to everything, pays nothing, and at the end tries to open what it saw.
 *
 *   node demo/eavesdropper.ts --broker URL --model PMS5003T --variant pms5003t
 *
 * It prints {"ready"} once it listens. Told `attack` on its standard input, with or without one paid key
 * (`attack STREAM NUMBER KEY`), it prints what it saw and what it opened; end of input ends it.
 */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { plantower } from '../drivers/plantower.ts'
import { openBroker } from '../runtime/link/broker.ts'
import { decoder } from '../runtime/sense/decoder.ts'
import { measured, unitsOf } from '../runtime/sense/driver.ts'
import { readOptions } from '../runtime/sense/options.ts'
import { unhex } from '../runtime/wire/bytes.ts'
import { decodeMessage, type Message } from '../runtime/wire/epoch.ts'
import type { Header } from '../runtime/wire/header.ts'
import type { Reading } from '../runtime/wire/reading.ts'
import { everyTopic, parseTopic } from '../runtime/wire/topic.ts'
import { attack, pieces, spelled } from './attack.ts'
import { plantowerCapture } from './sensors.ts'

const { values } = parseArgs({
  options: {
    broker: { type: 'string', default: 'mqtt://127.0.0.1:1883' },
    model: { type: 'string', default: 'PMS5003T' },
    variant: { type: 'string', default: 'pms5003t' },
  },
})

const epochs: Message[] = []
/** What each piece would be the key of is found out while there is time. */
const heard = new Map<string, string>()
const fields = new Set<string>()

const known = await knownMoments()
const broker = openBroker({ url: values.broker, clientId: 'eavesdropper' })
await broker.ready(10_000)
await broker.subscribe(everyTopic, (topic, payload) => overhear(topic, payload))
console.log(JSON.stringify({ ready: true }))

for await (const line of createInterface({ input: process.stdin })) {
  const [word, stream, number, key] = line.trim().split(' ')
  if (word !== 'attack') continue
  const loot =
    key === undefined
      ? { pieces: heard, fields }
      : { pieces: new Map(pieces(unhex(key))), fields: new Set<string>() }
  const found = attack({ epochs, ...loot }, plausible)
  console.log(JSON.stringify({ ...found, given: key === undefined ? null : `${stream}/${number}` }))
}
await broker.close()

function overhear(topic: string, payload: Uint8Array): void {
  const parsed = parseTopic(topic)
  if (parsed?.kind !== 'epoch') {
    keep(payload)
    for (const field of spelled(Buffer.from(payload).toString('latin1'))) fields.add(field)
    return
  }
  const message = decodeMessage(payload)
  epochs.push(message)
  const { previous, root, bodyHash, commitment, terms, setup } = message.header
  for (const field of [previous, root, bodyHash, commitment, terms, setup]) keep(field)
}

function keep(payload: Uint8Array): void {
  for (const [commitment, piece] of pieces(payload)) heard.set(commitment, piece)
}

/** Every reading in the published captures, as this header's device would have packed it at that time. */
function* plausible(header: Header): Generator<Reading> {
  const { openedWallMs: wallMs, openedMonotonicMs: monotonicMs, boot, stream } = header
  for (const { values, units } of known) {
    yield { stream, boot, monotonicMs, values, units }
    if (wallMs !== undefined) yield { stream, boot, monotonicMs, wallMs, values, units }
  }
}

/** What the published captures say: the attacker knows the very frames that the demo's sensors send. */
async function knownMoments(): Promise<Pick<Reading, 'values' | 'units'>[]> {
  const { bursts } = await plantowerCapture('known', values.model)
  const listen = decoder(plantower, readOptions(plantower, { variant: values.variant }))
  return bursts.flatMap((burst) =>
    listen.push(burst).flatMap(({ said }) => {
      const moment = said.ok ? measured(plantower, said) : undefined
      return moment === undefined
        ? []
        : [{ values: moment.values, units: unitsOf(plantower, moment) }]
    }),
  )
}
