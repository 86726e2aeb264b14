/**
 * What a header gives away. An epoch of one reading has little to guess: a PM sensor's mass values are
 * small whole numbers. Whoever knows the device, the stream, the time and every driver can write down all
 * plausible packs and compare their roots with the header's. The salts must make that worthless.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#crypto'
import { concat, equal } from '../../runtime/wire/bytes.ts'
import type { Header } from '../../runtime/wire/header.ts'
import { leafHash } from '../../runtime/wire/merkle.ts'
import { packEncoder } from '../../runtime/wire/pack.ts'
import type { Reading } from '../../runtime/wire/reading.ts'
import { makerOf, plan, readingAt, withDevice } from './fixture.ts'

/** Every value that a PM2.5 sensor can show. */
const plausible = Array.from({ length: 1001 }, (_, pm) => pm)

/** Salts that an outsider could think of. */
const zeros = new Uint8Array(16)

/** The readings that would give this header, as far as an outsider can tell. */
function guess(header: Header, root: Uint8Array, leaf: (pack: Uint8Array) => Uint8Array): number[] {
  const encode = packEncoder(header.device)
  return plausible.filter((pm) => {
    const reading: Reading = {
      stream: header.stream,
      boot: header.boot,
      // The first reading opens the epoch, so its time stands in the clear.
      monotonicMs: header.openedMonotonicMs,
      ...(header.openedWallMs === undefined ? {} : { wallMs: header.openedWallMs }),
      values: { pm2_5: pm },
      units: { pm2_5: 'ug/m3' },
    }
    return equal(leaf(encode(reading)), root)
  })
}

test('an epoch of one reading can not be guessed from its header, and could without salts', async () => {
  await withDevice(async (device) => {
    device.clock.quality = 'synced'
    const stop = new AbortController()
    const maker = makerOf(device, { streams: [plan()] })
    const done = maker.start(stop.signal)
    const secret = readingAt(device.clock, 137)
    maker.take(secret)
    stop.abort()
    await done

    const [epoch] = await device.epochs('air')
    assert.ok(epoch !== undefined)
    const { header } = epoch.message
    assert.equal(header.count, 1)
    assert.deepEqual(epoch.readings[0]?.values, { pm2_5: 137 })

    const unsalted = (pack: Uint8Array) => sha256(concat(Uint8Array.of(0), pack))
    const saltedWith = (salt: Uint8Array) => (pack: Uint8Array) => leafHash(salt, pack)
    const publicSalts = [zeros, header.commitment, header.bodyHash, header.terms, header.previous]
    assert.deepEqual(guess(header, header.root, unsalted), [])
    for (const salt of publicSalts) {
      assert.deepEqual(guess(header, header.root, saltedWith(salt.subarray(0, 16))), [])
    }

    // The control: the same reading, the same attack, no salt. It must find the value, and only it.
    const pack = packEncoder(device.key.device)(secret)
    assert.deepEqual(guess(header, unsalted(pack), unsalted), [137])
  })
})

test('no other digest in the header is a digest of the reading alone', async () => {
  await withDevice(async (device) => {
    const stop = new AbortController()
    const maker = makerOf(device, { streams: [plan('air', { countMax: 1 })] })
    const done = maker.start(stop.signal)
    const same = readingAt(device.clock, 5)
    // The very same moment twice: whatever is a function of the reading alone would repeat.
    maker.take(same)
    maker.take(same)
    stop.abort()
    await done
    const [one, two] = (await device.epochs('air')).map(({ message }) => message.header)
    assert.ok(one !== undefined && two !== undefined)
    for (const field of ['root', 'bodyHash', 'commitment'] as const) {
      assert.ok(!equal(one[field], two[field]), `${field} repeats`)
    }
    assert.equal(one.bodyBytes, two.bodyBytes)
  })
})
