/** A city's own tools: Debian's mosquitto_sub reads what is free, as it reads any other sensor. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { topics } from '../../../runtime/wire/topic.ts'
import { journey } from '../journey.ts'
import { counted, type Stall, serial } from '../stall.ts'
import type { Street } from '../street.ts'

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

/** A message as `-F %J` tells it. */
type Told = {
  readonly topic: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly payload: unknown
}

const tool = 'mosquitto_sub'
const installed = spawnSync(tool, ['--help']).error === undefined
const missing = () =>
  installed ? false : ('needs mosquitto_sub (apt-get install mosquitto-clients)' as const)

export const stock = journey({
  name: 'stock mosquitto_sub',
  says: 'mosquitto_sub reads a free stream and the status, and any reading of it can be proven',
  street: { money: false },
  missing,
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const owner = street.buy(
      ...['--own', '--key', street.people.operator.file, '--device', stall.device],
      ...['--stream', 'hall', '--evidence', join(street.folder, 'evidence')],
    )
    await owner.heard(1)
    const { status, open } = topics(stall.device)
    const [state] = await listen(street, '-t', status, '-C', '1')
    assert.deepEqual(JSON.parse(state ?? ''), { state: 'on' })
    const texts = await listen(street, '-t', open('hall'), '-C', '12')
    const packs = texts.map((text) => JSON.parse(text) as SenmlRecord[])
    const numbers = packs.map((pack) => numberIn(pack, stall))
    assert.deepEqual(numbers, counted(numbers[0], 12))
    assert.ok((numbers.at(-1) ?? 0) <= stall.said('hall'))

    const { epoch = 0, index, bt = 0 } = packs.at(-1)?.[0] ?? {}
    await owner.says((said) => Number(said.epoch) > epoch)
    owner.signal('SIGINT')
    assert.equal(await owner.ended, 0, owner.words())
    const file = join(street.folder, 'evidence', `${stall.device}-hall-${epoch}-${index}.evidence`)
    const verify = street.wayside('verify', '--json', file)
    assert.equal(await verify.ended, 0, verify.words())
    const [proof] = verify.said() as { values: Record<string, number>; time: string }[]
    assert.equal(proof?.values[serial], numbers.at(-1))
    assert.equal(Date.parse(proof?.time ?? ''), Math.round(bt * 1000))
    t.diagnostic(`12 packs, the last one ${texts.at(-1)?.length} bytes: ${epoch}#${index}`)
  },
})

export const stockMqtt5 = journey({
  name: 'stock mosquitto_sub over MQTT 5',
  says: 'mosquitto_sub over MQTT 5 is told the media type of every message, be it free or sealed',
  brokers: ['mosquitto-5', 'mosquitto-tls', 'mosquitto-mtls'],
  street: { money: false },
  missing,
  async run(street) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const { status, open, offer, epoch } = topics(stall.device)
    const over5 = async (topic: string, format: string) =>
      (await listen(street, '-V', '5', '-F', format, '-t', topic, '-C', '1'))[0] ?? ''
    const told = JSON.parse(await over5(open('hall'), '%J')) as Told
    assert.equal(told.topic, open('hall'))
    assert.equal(told.properties?.['content-type'], 'application/senml+json')
    assert.equal((told.payload as SenmlRecord[])[0]?.bn, `${stall.device}/hall/`)
    assert.equal(await over5(status, '%C %r %p'), 'application/json 1 {"state":"on"}')
    assert.equal(await over5(offer, '%C'), 'application/json')
    assert.equal(await over5(epoch('air'), '%C'), 'application/octet-stream')
  },
})

/** The lines that mosquitto_sub prints, as anybody at the broker would start it. */
async function listen({ broker }: Street, ...args: readonly string[]): Promise<string[]> {
  const { url, caFile, certFile, keyFile } = await broker.line('buyer')
  const { hostname, port } = new URL(url)
  const files = { '--cafile': caFile, '--cert': certFile, '--key': keyFile }
  const named = Object.entries(files).flatMap(([flag, file]) =>
    file === undefined ? [] : [flag, file],
  )
  const at = ['-h', hostname, '-p', port, ...named, '-W', '30']
  const { stdout } = await promisify(execFile)(tool, [...at, ...args])
  return stdout.trim().split('\n')
}

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
