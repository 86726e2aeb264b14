/** What docs/wire.md says a reader must refuse, in a file that other languages read too. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { unhex, utf8 } from '../../runtime/wire/bytes.ts'
import { readClearBody } from '../../runtime/wire/clearbody.ts'
import { readEnrolment } from '../../runtime/wire/enrolment.ts'
import { decodeMessage, openEpoch } from '../../runtime/wire/epoch.ts'
import { checkEvidence } from '../../runtime/wire/evidence.ts'
import { decodeKeysBody } from '../../runtime/wire/keysbody.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import { decodePack } from '../../runtime/wire/reading.ts'
import { readSetup } from '../../runtime/wire/setup.ts'
import { readIndex } from '../../runtime/wire/shelf.ts'
import type { Refused } from '../vectors/wire/refused.ts'

type Vector = {
  readonly about: Readonly<Record<'device' | 'stream' | 'boot' | 'leafKey', string>>
  readonly cases: readonly Refused[]
}

const path = new URL('../vectors/wire/refused.json', import.meta.url)
const { about, cases }: Vector = JSON.parse(readFileSync(path, 'utf8'))

const readers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  pack(bytes) {
    const { device, reading } = decodePack(bytes, about.boot)
    if (device !== about.device || reading.stream !== about.stream) throw new Malformed('another')
  },
  'epoch message': decodeMessage,
  statement: (bytes) => readClearBody(decodeMessage(bytes)),
  body: (bytes) => openEpoch(decodeMessage(bytes), unhex(about.leafKey)),
  keys: decodeKeysBody,
  enrolment: readEnrolment,
  evidence: checkEvidence,
  offer: readOffer,
  setup: readSetup,
  index: readIndex,
}

for (const of of Object.keys(readers)) {
  test(`every ${of} with one thing wrong is refused, in our own word`, () => {
    const some = cases.filter((one) => one.of === of)
    assert.ok(some.length > 2)
    for (const { that, bytes, text } of some) {
      const raw = text === undefined ? unhex(bytes as string) : utf8(text)
      assert.throws(() => readers[of]?.(raw), Malformed, `${of} that ${that}`)
    }
  })
}
