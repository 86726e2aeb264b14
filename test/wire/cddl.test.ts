/** docs/wire.cddl describes the very bytes: every golden vector fits its rule, and so does all that we read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeAnswer } from '../../runtime/wire/answer.ts'
import { unhex } from '../../runtime/wire/bytes.ts'
import { type Cbor, decodeCbor, encodeCbor } from '../../runtime/wire/cbor.ts'
import { decodeClearBody } from '../../runtime/wire/clearbody.ts'
import { checkEvidence } from '../../runtime/wire/evidence.ts'
import { decodeKeysBody } from '../../runtime/wire/keysbody.ts'
import { decodeOrder } from '../../runtime/wire/order.ts'
import { decodePack } from '../../runtime/wire/reading.ts'
import { decodeRequest } from '../../runtime/wire/request.ts'
import { readCddl } from './cddl.ts'
import { page } from './markdown.ts'
import { boot } from './sample.ts'

const fits = readCddl(page('docs/wire.cddl'))
const vectors = (path: string) => JSON.parse(page(`test/vectors/${path}.json`))
const cbor = (text: string) => decodeCbor(unhex(text), 'vector')

type Body = { readonly cbor: string; readonly body: { readonly kind: string } }
type Kind = 'tombstone' | 'clock map' | 'generation'
type Statement = { readonly body: string; readonly says: { readonly kind: Kind } }
type Case = readonly [rule: string, value: Cbor, decode?: (bytes: Uint8Array) => unknown]

const cases: readonly Case[] = [
  ...vectors('wire/reading').map(({ pack }: { pack: string }) => [
    'pack',
    cbor(pack),
    (bytes: Uint8Array) => decodePack(bytes, boot),
  ]),
  ...vectors('wire/statement').map(({ body, says: { kind } }: Statement) => [
    kind.replace(' ', '-'),
    cbor(body),
    (bytes: Uint8Array) => decodeClearBody(kind, bytes),
  ]),
  ['evidence', cbor(vectors('wire/evidence').evidence), checkEvidence],
  ...many('request', vectors('money/requests'), decodeRequest),
  ...many('answer', vectors('money/answers'), decodeAnswer),
  ...many('keys-body', vectors('money/keysbodies'), decodeKeysBody),
  ...many('order-document', vectors('money/order'), decodeOrder),
  ...['voucher', 'split', 'grant', 'ack', 'state'].map(
    (name): Case => [name, cbor(vectors(`money/${name}`).cbor)],
  ),
  ['channel-config', cbor(vectors('money/channel').cbor)],
  ['grants', cbor(vectors('money/retained').grants)],
  ['acks', cbor(vectors('money/retained').acks)],
  ['signed-offer', json(JSON.parse(vectors('wire/documents').offer))],
  ['signed-setup', json(JSON.parse(vectors('wire/documents').setup))],
]

test('every golden vector fits its rule', () => {
  for (const [rule, value] of cases) assert.ok(fits(rule, value), rule)
  assert.ok(cases.length > 30)
})

test('a member more or a member less fits no rule that lists them', () => {
  for (const [rule, value] of cases) {
    if (value instanceof Map) {
      assert.ok(!fits(rule, new Map([...value, ['strange', 1]])), `${rule} with more`)
      const lacking = [...value.keys()].map((key) => new Map([...value].filter(([k]) => k !== key)))
      assert.ok(!lacking.every((less) => fits(rule, less)), `${rule} with less`)
    } else if (Array.isArray(value) && !Array.isArray(value[0]) && rule !== 'pack') {
      assert.ok(!fits(rule, [...value, 1]), `${rule} with more`)
      assert.ok(!fits(rule, value.slice(1)), `${rule} with less`)
    }
  }
})

test('a sealed body is the COSE structure of its rule', () => {
  for (const { message, headerBytes } of vectors('wire/epoch') as Record<string, string>[]) {
    const body = unhex(message as string).subarray(unhex(headerBytes as string).length + 65)
    assert.equal(body[0], 0xc0 | 16)
    assert.ok(fits('body', { tag: 16, value: decodeCbor(body.subarray(1), 'body') }))
  }
})

test('whatever our decoders read, the rules allow', () => {
  const decoded = cases.filter(([, , decode]) => decode !== undefined)
  const other = fc.oneof(
    fc.constantFrom<Cbor>(
      -1,
      0,
      1,
      2 ** 32,
      2 ** 53 - 1,
      1n << 63n,
      1.5,
      '',
      'air',
      null,
      true,
      [],
    ),
    fc.uint8Array({ maxLength: 70 }),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  )
  let read = 0
  fc.assert(
    fc.property(fc.constantFrom(...decoded), fc.nat(), other, ([rule, value, decode], pick, by) => {
      const bent = replace(value, pick % count(value), by)
      try {
        decode?.(encodeCbor(bent))
      } catch {
        return
      }
      read += 1
      assert.ok(fits(rule, bent), rule)
    }),
    { numRuns: 2000 },
  )
  assert.ok(read > 50, `${read} bent values were read`)
})

function many(
  rule: string,
  bodies: readonly Body[],
  decode: (bytes: Uint8Array) => unknown,
): Case[] {
  return bodies.map((body) => [rule, cbor(body.cbor), decode])
}

/** JSON as the matcher takes it: objects are maps. */
function json(value: unknown): Cbor {
  if (Array.isArray(value)) return value.map(json)
  if (typeof value !== 'object' || value === null) return value as Cbor
  return new Map(Object.entries(value).map(([name, part]) => [name, json(part)]))
}

/** How many values a CBOR value is made of. */
function count(value: Cbor): number {
  const parts = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : []
  return parts.reduce((sum: number, part: Cbor) => sum + count(part), 1)
}

/** The same with its nth value made another. */
function replace(value: Cbor, nth: number, by: Cbor): Cbor {
  let left = nth
  const walk = (here: Cbor): Cbor => {
    left -= 1
    if (left === -1) return by
    if (Array.isArray(here)) return here.map(walk)
    return here instanceof Map ? new Map([...here].map(([key, part]) => [key, walk(part)])) : here
  }
  return walk(value)
}
