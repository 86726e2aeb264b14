/** The golden vectors still hold: what was once written is written again, and reads as it did. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { unhex } from '../../runtime/wire/bytes.ts'
import { decodeMessage, openEpoch } from '../../runtime/wire/epoch.ts'
import { checkEvidence } from '../../runtime/wire/evidence.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { decodePack, encodePack } from '../../runtime/wire/reading.ts'
import { vectors } from '../vectors/wire/make.ts'
import { unsetReading, valuesReading } from './readings.ts'
import { boot, device } from './sample.ts'

type Golden = Readonly<Record<string, string>>

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/wire/${name}.json`, import.meta.url), 'utf8'))

test('making the vectors again writes the same bytes', async () => {
  for (const [name, vector] of Object.entries(await vectors())) {
    assert.deepEqual(JSON.parse(JSON.stringify(vector)), golden(name), name)
  }
})

test('the committed epochs verify and open, the second behind the first', () => {
  const [first, second] = (golden('epoch') as Golden[]).map(({ message, leafKey, signer }) => {
    const read = decodeMessage(unhex(message as string))
    assert.equal(read.signer, signer)
    openEpoch(read, unhex(leafKey as string))
    return read
  })
  assert.equal(second?.header.kind, 'interrupted')
  assert.equal(Buffer.compare(second.header.previous, unhex(golden('epoch')[0].headerHash)), 0)
  assert.equal(first?.header.number, 41)
})

test('the committed evidence proves its reading', () => {
  const { evidence, expect } = golden('evidence')
  const proof = checkEvidence(unhex(evidence))
  assert.equal(proof.enrolment?.operator, expect.operator)
  assert.deepEqual(proof.reading, expect.reading)
})

test('a pack gives back its reading, and hostile packs our own word only', () => {
  for (const reading of [unsetReading, valuesReading]) {
    assert.deepEqual(decodePack(encodePack(reading, device), boot), { device, reading })
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(() => decodePack(bytes, boot), Malformed)
    }),
  )
  const good = encodePack(valuesReading, device)
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const bent = good.slice()
      bent[at] = (bent[at] ?? 0) ^ bits
      try {
        decodePack(bent, boot)
      } catch (error) {
        assert.ok(error instanceof Malformed, String(error))
      }
    }),
  )
})
