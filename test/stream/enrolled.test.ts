import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { sha256, sign } from '#crypto'
import { openEnrolled } from '../../runtime/stream/enrolled.ts'
import { utf8 } from '../../runtime/wire/bytes.ts'
import { type Enrolment, readEnrolment, signEnrolment } from '../../runtime/wire/enrolment.ts'
import { localSigner } from '../../runtime/wire/signer.ts'

const secretOf = (word: string) => sha256(utf8(`enrolled test ${word}`))
const operator = localSigner(secretOf('operator'))
const stranger = localSigner(secretOf('stranger'))
const device = localSigner(secretOf('device')).address
const ours = { device, signingKey: device }

function word(more: Partial<Enrolment>, secret = secretOf('operator')): Promise<Uint8Array> {
  const enrolment = { ...ours, operator: operator.address, version: 1, ...more }
  return signEnrolment(enrolment, async (digest) => sign(digest, secret))
}

async function enrolledIn(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-enrolled-'))
  t.after(() => rm(folder, { recursive: true }))
  return () => openEnrolled(folder, ours, operator.address)
}

test('only our operator’s word about this device and key is kept, and it outlives a restart', async (t) => {
  const open = await enrolledIn(t)
  const enrolled = await open()
  const strange = stranger.address
  for (const lie of [
    await word({ operator: strange }, secretOf('stranger')),
    await word({ operator: operator.address }, secretOf('stranger')).catch(() => new Uint8Array(0)),
    await word({ device: strange }),
    await word({ signingKey: strange }),
    new Uint8Array(0),
  ]) {
    assert.equal(await enrolled.take(lie), false)
  }
  assert.equal(enrolled.bytes(), undefined)
  const true1 = await word({})
  assert.equal(await enrolled.take(true1), true)
  assert.deepEqual((await open()).bytes(), true1)
})

test('an older word never overtakes a newer one on its way to the disk', async (t) => {
  const open = await enrolledIn(t)
  const enrolled = await open()
  const [older, newer] = [await word({ version: 2 }), await word({ version: 3 })]
  const taken = await Promise.all([enrolled.take(newer), enrolled.take(older)])
  assert.deepEqual(taken, [true, false])
  for (const now of [enrolled, await open()]) {
    assert.equal(readEnrolment(now.bytes() as Uint8Array).version, 3)
  }
})

test('noise and bent words change nothing', async (t) => {
  const enrolled = await (await enrolledIn(t))()
  const truth = await word({ version: 7 })
  const bent = fc.tuple(fc.nat(truth.length * 8 - 1)).map(([bit]) => {
    const copy = truth.slice()
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return copy
  })
  await fc.assert(
    fc.asyncProperty(fc.oneof(bent, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
      assert.equal(await enrolled.take(bytes), false)
    }),
  )
})
