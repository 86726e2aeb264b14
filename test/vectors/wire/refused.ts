/**
 * What a reader must refuse: each is a good sample with one thing wrong, which `that` names, signed again
 * where the signature is not that thing.
 */
import { sha256, sign } from '#crypto'
import { concat, hex, unhex, utf8 } from '../../../runtime/wire/bytes.ts'
import { type Cbor, encodeCbor } from '../../../runtime/wire/cbor.ts'
import { encodeClearBody } from '../../../runtime/wire/clearbody.ts'
import { encodeMessage } from '../../../runtime/wire/epoch.ts'
import { encodeHeader, type Header, headerDigest } from '../../../runtime/wire/header.ts'

import {
  boot,
  device,
  deviceSecret,
  enrolled,
  operatorSecret,
  sampleEpoch,
  secretOf,
} from '../../wire/sample.ts'
import { sampleStatements, statementHeader } from '../../wire/statements.ts'
import { refusedDocuments } from './refuseddocuments.ts'
import { refusedEvidence } from './refusedevidence.ts'

export type Refused = {
  /** What the bytes, or the text of a document, would be. */
  readonly of: string
  readonly that: string
  readonly bytes?: string
  readonly text?: string
}

export async function refusedVector() {
  const { leaf } = sampleEpoch({ count: 3 })
  const cases: readonly Refused[] = [
    ...packs(),
    ...headers(),
    ...messages(),
    ...statements(),
    ...enrolments(await enrolled()),
    ...(await refusedEvidence()),
    ...refusedDocuments(),
  ]
  return { about: { device, stream: 'air', boot, leafKey: hex(leaf) }, cases }
}

const name = `${device}/air/`

/** Labels: −2 base name, −3 base time, 0 name, 1 unit, 2 v, 3 vs. */
const goodPack: readonly [number | string, Cbor][] = [
  [0, 'pm1'],
  [1, 'ug/m3'],
  [2, 5],
  [-2, name],
  [-3, 1_790_000_000],
  ['mono', 10_000],
]

const field: ReadonlyMap<number, Cbor> = new Map<number, Cbor>([
  [0, 'pm1'],
  [2, 5],
])

/** The good pack with other members in its first record, or without them, and with more records. */
function pack(over: readonly [number | string, Cbor | undefined][], ...more: Cbor[]): Uint8Array {
  const members = [...goodPack, ...over].filter(([label, value], i, all) => {
    return value !== undefined && all.findLastIndex((one) => one[0] === label) === i
  }) as [number | string, Cbor][]
  return encodeCbor([new Map(members), ...more])
}

function packs(): Refused[] {
  const unset = (id: string): [number | string, Cbor | undefined][] => [
    [-3, undefined],
    ['mono', undefined],
    ['boot_', [unhex(id), 10_000]],
  ]
  const spelled = (from: string, to: string) => unhex(hex(pack([])).replace(from, to))
  const bad: [string, Uint8Array][] = [
    ['is no list', encodeCbor(new Map(goodPack))],
    ['is empty', encodeCbor([])],
    ['is of another device', pack([[-2, `0x${'11'.repeat(20)}/air/`]])],
    ['spells its device in capitals', pack([[-2, name.toUpperCase().replace('X', 'x')]])],
    ['is of another stream', pack([[-2, `${device}/water/`]])],
    ['has no slash behind its base name', pack([[-2, name.slice(0, -1)]])],
    ['has a base name of four parts', pack([[-2, `${name}a/b/`]])],
    ['has a subject with a colon', pack([[-2, `${name}a:b/`]])],
    ['has no time', pack([[-3, undefined]])],
    ['has a time that is relative to now', pack([[-3, 2 ** 28 - 1]])],
    ['has a time past all calendars', pack([[-3, 8.64e12 + 1]])],
    ['has no monotonic time', pack([['mono', undefined]])],
    ['has a negative monotonic time', pack([['mono', -1]])],
    ['is of another boot', pack(unset('ff'.repeat(16)))],
    ['has a set clock and an unset one', pack([['boot_', [unhex(boot), 10_000]]])],
    ['has a label that version 1 does not know', pack([[6, 1]])],
    ['has a base unit', pack([[-4, 'ug/m3']])],
    ['has no value', pack([[2, undefined]])],
    ['has two values', pack([[3, 'five']])],
    ['has a text where numbers stand', pack([[2, 'five']])],
    ['has a unit of no table', pack([[1, 'parsec']])],
    ['has a field name with a slash', pack([[0, 'pm/1']])],
    ['has a field twice', pack([], field)],
    ['has a base name in its second record', pack([], new Map([...field, [-2, name]]))],
    ['spells a whole number as a float', spelled('0205', '02f94500')],
    ['spells a number in more bytes than it takes', spelled('0205', '021805')],
    ['holds what is no number', spelled('0205', '02f97e00')],
    ['holds a negative zero', spelled('0205', '02f98000')],
    [
      'is a list without length',
      concat(Uint8Array.of(0x9f), pack([]).slice(1), Uint8Array.of(0xff)),
    ],
    ['has its labels out of order', spelled('0063706d310165', '0163706d310065')],
    ['has a byte behind it', concat(pack([]), Uint8Array.of(0))],
  ]
  return bad.map(([that, bytes]) => ({ of: 'pack', that, bytes: hex(bytes) }))
}

function headers(): Refused[] {
  const { sealed, header } = sampleEpoch({ count: 3 })
  const bent = (bend: (bytes: Uint8Array, view: DataView) => void) => {
    const bytes = sealed.headerBytes.slice()
    bend(bytes, new DataView(bytes.buffer))
    return signed(bytes, sealed.body)
  }
  const over = (members: Partial<Header>, tail = 0) =>
    signed(encodeHeader({ ...header, ...members }).slice(0, 320 + tail), sealed.body)
  const cut = sampleEpoch({ count: 3, interrupted: true })
  const headSignature = sign(secretOf('no head'), deviceSecret)
  const otherHead = { ...cut.header, interrupted: { boot, headSignature } }
  const bad: [string, Uint8Array][] = [
    ['is of version 2', bent((bytes) => bytes.fill(2, 0, 1))],
    ['has its first reserved byte set', bent((bytes) => bytes.fill(1, 1, 2))],
    ['has its last reserved byte set', bent((bytes) => bytes.fill(1, 191, 192))],
    ['says that it is 319 bytes long', bent((_, view) => view.setUint16(2, 319))],
    ['is of kind 0', bent((bytes) => bytes.fill(0, 96, 97))],
    ['is of kind interrupted, and 320 bytes long', bent((bytes) => bytes.fill(2, 96, 97))],
    ['has a clock of no quality', bent((bytes) => bytes.fill(3, 97, 98))],
    ['has a stream that begins with a capital', bent((bytes) => bytes.fill(0x41, 24, 25))],
    ['has a stream that is not zero-padded', bent((bytes) => bytes.fill(0x61, 55, 56))],
    ['has no stream', bent((bytes) => bytes.fill(0, 24, 56))],
    ['has no readings', over({ count: 0 })],
    ['closed before it opened', over({ closedMonotonicMs: header.openedMonotonicMs - 1 })],
    ['has a wall time under an unset clock', over({ clock: 'unset' })],
    ['has a time past 2^53', bent((_, view) => view.setBigUint64(176, 1n << 53n))],
    ['is a tombstone with a count', over({ kind: 'tombstone' })],
    [
      'carries the signature of another tree head',
      signed(encodeHeader(otherHead), cut.sealed.body),
    ],
  ]
  return bad.map(([that, bytes]) => ({ of: 'epoch message', that, bytes: hex(bytes) }))
}

function messages(): Refused[] {
  const { sealed } = sampleEpoch({ count: 3 })
  const message = encodeMessage(sealed)
  const resigned = (bend: (signature: Uint8Array) => Uint8Array) =>
    encodeMessage({ ...sealed, signature: bend(sealed.signature.slice()) })
  const bad: [string, Uint8Array][] = [
    ['ends within its header', message.slice(0, 319)],
    ['ends within its signature', message.slice(0, 384)],
    ['has lost the last byte of its body', message.slice(0, -1)],
    ['has a byte behind its body', concat(message, Uint8Array.of(0))],
    ['has one bit of its body flipped', message.with(-1, (message.at(-1) ?? 0) ^ 1)],
    ['has a signature with a high s', resigned(highS)],
    ['has a signature with v = 29', resigned((signature) => signature.with(64, 29))],
    ['has a signature with r = 0', resigned((signature) => signature.fill(0, 0, 32))],
  ]
  return bad.map(([that, bytes]) => ({ of: 'epoch message', that, bytes: hex(bytes) }))
}

/** The other spelling of one signature (EIP-2): n − s, and the other v. */
function highS(signature: Uint8Array): Uint8Array {
  const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const s = BigInt(hex(signature.slice(32, 64)))
  const high = unhex((n - s).toString(16).padStart(64, '0'))
  return concat(signature.slice(0, 32), high, Uint8Array.of(55 - (signature[64] ?? 0)))
}

function statements(): Refused[] {
  const [stone, map, generation] = sampleStatements as typeof sampleStatements & { length: 3 }
  if (stone?.kind !== 'tombstone' || map?.kind !== 'clock map' || generation === undefined) {
    throw new RangeError('one of every statement')
  }
  const clear = (header: Header, body: Uint8Array) =>
    signed(encodeHeader({ ...header, bodyBytes: body.length, bodyHash: sha256(body) }), body)
  const said = (body: typeof stone | typeof map | typeof generation, over: Partial<Header> = {}) =>
    clear(statementHeader(body, over), encodeClearBody(body))
  const raw = (members: [string, Cbor][]) =>
    clear(statementHeader(stone, {}), encodeCbor(new Map(members)))
  const members: [string, Cbor][] = [
    ['from', 3],
    ['to', 40],
    ['last', stone.last],
    ['reason', 'store full'],
  ]
  const bad: [string, Uint8Array][] = [
    ['stands for its own number', said({ ...stone, to: 43 })],
    ['ends before it begins', said({ ...stone, from: 41 })],
    ['has no last hash', raw(members.filter(([name]) => name !== 'last'))],
    ['has a member that version 1 does not know', raw([...members, ['more', 1]])],
    ['has a reason of two lines', raw([...members.slice(0, 3), ['reason', 'store\nfull']])],
    ['has a reason of 201 characters', raw([...members.slice(0, 3), ['reason', 'x'.repeat(201)]])],
    ['dates another boot than its header', said({ ...map, boot: 'ff'.repeat(16) })],
    ['dates a boot in the chain of a stream', said(map, { stream: 'air' })],
    ['begins another generation than its header', said(generation, { generation: 3 })],
    ['begins a generation in the chain of a stream', said(generation, { stream: 'air' })],
  ]
  return bad.map(([that, bytes]) => ({ of: 'statement', that, bytes: hex(bytes) }))
}

function enrolments(good: Uint8Array): Refused[] {
  const bent = (at: number, value: number) => {
    const body = good.slice(0, 68).with(at, value)
    return concat(body, sign(sha256(utf8('wayside/1 enrolment\0'), body), operatorSecret))
  }
  const bad: [string, Uint8Array][] = [
    ['is of version 2', bent(0, 2)],
    ['has its reserved byte set', bent(1, 1)],
    ['says that 69 bytes are signed', bent(3, 69)],
    ['names another operator than the one who signed', bent(24, 0xff)],
    ['has lost its last byte', good.slice(0, -1)],
    ['has a byte behind it', concat(good, Uint8Array.of(0))],
  ]
  return bad.map(([that, bytes]) => ({ of: 'enrolment', that, bytes: hex(bytes) }))
}

function signed(headerBytes: Uint8Array, body: Uint8Array): Uint8Array {
  const signature = sign(headerDigest(headerBytes), deviceSecret)
  return encodeMessage({ headerBytes, signature, body })
}
