/** The eavesdropper's code, on epochs of a device of our own: what it opens is what the key opens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#crypto'
import { attack, pieces, spelled } from '../../demo/attack.ts'
import { concat, hex } from '../../runtime/wire/bytes.ts'
import type { Message } from '../../runtime/wire/epoch.ts'
import { encodePack, type Reading } from '../../runtime/wire/reading.ts'
import { type Device, makerOf, plan, readingAt, until, withDevice } from '../sign/fixture.ts'

type Sealed = { readonly message: Message; readonly reading: Reading; readonly leaf: Uint8Array }

/** Three epochs of one reading each. */
async function sealThree(device: Device): Promise<readonly [Sealed, Sealed, Sealed]> {
  device.clock.quality = 'synced'
  const stop = new AbortController()
  const maker = makerOf(device, { streams: [plan('air', { countMax: 1 })] })
  const done = maker.start(stop.signal)
  for (const pm of [35, 36, 37]) await until(() => maker.take(readingAt(device.clock, pm)))
  stop.abort()
  await done
  const found = (await device.epochs('air')).map(({ message, readings }) => {
    const { stream, generation, number } = message.header
    const leaf = device.generations.leafKey(stream, generation, number)
    return { message, reading: readings[0] as Reading, leaf }
  })
  assert.equal(found.length, 3)
  return found as unknown as readonly [Sealed, Sealed, Sealed]
}

const heard = (...payloads: readonly Uint8Array[]) =>
  new Map(payloads.flatMap((one) => [...pieces(one)]))
const nothing = { pieces: new Map<string, string>(), fields: new Set<string>() }

/** Every value that such a sensor can show, at the time that the header says. */
function* plausible(header: Message['header']): Generator<Reading> {
  const { stream, boot, openedMonotonicMs: monotonicMs, openedWallMs: wallMs } = header
  for (let pm = 0; pm <= 500; pm += 1) {
    const values = { pm2_5: pm }
    const time = wallMs === undefined ? {} : { wallMs }
    yield { stream, boot, monotonicMs, ...time, values, units: { pm2_5: 'ug/m3' } }
  }
}

test('without a key it opens nothing, by guessing either', async () => {
  await withDevice(async (device) => {
    const epochs = (await sealThree(device)).map(({ message }) => message)
    const found = attack({ epochs, ...nothing }, plausible)
    assert.deepEqual(found.opened, [])
    assert.equal(found.seen, 3)
    assert.equal(found.tried.guesses, 3 * 501)
  })
})

test('what it may hear of a header opens nothing', async () => {
  await withDevice(async (device) => {
    const epochs = (await sealThree(device)).map(({ message }) => message)
    const fields = new Set(
      epochs.flatMap(({ header }) => [header.root, header.bodyHash, header.commitment].map(hex)),
    )
    const overheard = { epochs, pieces: heard(...epochs.map((one) => one.headerBytes)), fields }
    assert.deepEqual(attack(overheard, () => []).opened, [])
  })
})

test('one key in the middle of a message opens exactly its epoch', async () => {
  await withDevice(async (device) => {
    const sealed = await sealThree(device)
    const epochs = sealed.map(({ message }) => message)
    for (const { message, leaf } of sealed) {
      const payload = concat(new Uint8Array(17).fill(3), leaf, new Uint8Array(40))
      const found = attack({ epochs, ...nothing, pieces: heard(payload) }, () => [])
      assert.deepEqual(found.opened, [`air/${message.header.number}`])
    }
  })
})

test('a key that is spelled in a document opens its epoch, and a node all below it', async () => {
  await withDevice(async (device) => {
    const sealed = await sealThree(device)
    const epochs = sealed.map(({ message }) => message)
    const [first] = sealed
    const document = JSON.stringify({ key: hex(first.leaf), other: `0x${'0'.repeat(64)}` })
    const fields = new Set(spelled(document))
    assert.equal(fields.size, 2)
    const found = attack({ epochs, ...nothing, fields }, () => [])
    assert.deepEqual(found.opened, [`air/${first.message.header.number}`])

    const { generation } = first.message.header
    const [node] = device.generations.cover('air', generation, 0, 255)
    assert.ok(node !== undefined)
    const all = attack({ epochs, ...nothing, fields: new Set([hex(node.key)]) }, () => [])
    assert.equal(all.opened.length, 3)
  })
})

test('the same guesses find the reading of an epoch whose leaf has no salt', async () => {
  await withDevice(async (device) => {
    const [{ message, reading }, second] = await sealThree(device)
    const pack = encodePack(reading, device.key.device)
    const bare = sha256(concat(Uint8Array.of(0), pack))
    const control: Message = { ...message, header: { ...message.header, root: bare } }
    const found = attack({ epochs: [control, second.message], ...nothing }, plausible)
    assert.deepEqual(found.opened, [`air/${message.header.number}`])
  })
})
