import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { connectAsync } from 'mqtt'
import { topics } from '../../runtime/wire/topic.ts'
import { start } from './process.ts'
import { counted, type Stall, serial } from './stall.ts'
import { openStreet } from './street.ts'

/** A SenML record as RFC 8428 has it, and what our first one says beside. */
type SenmlRecord = {
  readonly bn?: string
  readonly bt?: number
  readonly n: string
  readonly u?: string
  readonly v?: number
  readonly generation?: number
  readonly epoch?: number
  readonly index?: number
}

const run = promisify(execFile)
const mosquitto = await run('mosquitto_sub', ['--help']).then(
  () => true,
  (cause: { code?: unknown }) => cause.code !== 'ENOENT',
)
const client = mosquitto ? 'mosquitto_sub' : 'mqtt.js, as mosquitto_sub is not here,'

test(`${client} reads a free stream, and any reading of it can be proven`, async (t) => {
  const street = await openStreet(t, { money: false })
  const stall = street.stalls[0] as Stall
  await stall.open()
  const owner = street.buy(
    ...['--own', '--key', street.people.operator.file, '--device', stall.device],
    ...['--stream', 'hall', '--evidence', join(street.folder, 'evidence')],
  )
  await owner.heard(1)
  const texts = await listen(street.url, topics(stall.device).open('hall'), 12)
  const packs = texts.map((text) => JSON.parse(text) as SenmlRecord[])
  const numbers = packs.map((pack) => numberIn(pack, stall))
  assert.deepEqual(numbers, counted(numbers[0], 12))

  const { epoch = 0, index, bt = 0 } = packs.at(-1)?.[0] ?? {}
  await owner.says((said) => Number(said.epoch) > epoch)
  owner.signal('SIGINT')
  assert.equal(await owner.ended, 0, owner.words())
  const file = join(street.folder, 'evidence', `${stall.device}-hall-${epoch}-${index}.evidence`)
  const verify = start(street.end, ['verify', '--json', file])
  assert.equal(await verify.ended, 0, verify.words())
  const [proof] = verify.said() as { values: Record<string, number>; time: string }[]
  assert.equal(proof?.values[serial], numbers.at(-1))
  assert.equal(Date.parse(proof?.time ?? ''), Math.round(bt * 1000))
  t.diagnostic(
    `12 packs, the last one ${texts.at(-1)?.length} bytes: epoch ${epoch}, index ${index}`,
  )
})

/** The number that a pack carries, which is read as any SenML is. */
function numberIn(pack: readonly SenmlRecord[], { device }: Stall): number | undefined {
  const [first] = pack
  assert.equal(first?.bn, `${device}/hall/`)
  assert.ok(Math.abs((first?.bt ?? 0) * 1000 - Date.now()) < 60_000)
  assert.ok((first?.generation ?? 0) > 0 && (first?.epoch ?? 0) > 0 && (first?.index ?? -1) >= 0)
  // §4.4: a label that ends in _ must be understood, and a stock client understands none of ours.
  const labels = pack.flatMap((record) => Object.keys(record))
  assert.ok(labels.every((label) => !label.endsWith('_')))
  const number = pack.find(({ n }) => n === serial)
  assert.equal(number?.u, 'ug/m3')
  return number?.v
}

/** The next messages of a topic, as text. */
async function listen(url: string, topic: string, count: number): Promise<string[]> {
  if (mosquitto) {
    const { hostname, port } = new URL(url)
    const args = ['-h', hostname, '-p', port, '-t', topic, '-C', `${count}`, '-W', '20']
    const { stdout } = await run('mosquitto_sub', args)
    return stdout.trim().split('\n')
  }
  const mqtt = await connectAsync(url)
  const texts: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  mqtt.on('message', (_topic, payload) => {
    texts.push(payload.toString())
    if (texts.length === count) resolve()
  })
  await mqtt.subscribeAsync(topic)
  await promise
  await mqtt.endAsync()
  return texts.slice(0, count)
}
