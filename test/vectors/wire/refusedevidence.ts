/** Sealed bodies, keys and evidence that a reader must refuse. */
import { gcmSeal, sha256, sign } from '#crypto'
import { concat, hex } from '../../../runtime/wire/bytes.ts'
import { type Cbor, decodeCbor, encodeCbor } from '../../../runtime/wire/cbor.ts'
import { encodeMessage } from '../../../runtime/wire/epoch.ts'
import { makeEvidence } from '../../../runtime/wire/evidence.ts'
import {
  encodeHeader,
  encodePlace,
  type Header,
  headerDigest,
} from '../../../runtime/wire/header.ts'
import { epochKeys, salts } from '../../../runtime/wire/keytree.ts'
import { leafHash, proofTree } from '../../../runtime/wire/merkle.ts'
import { encodePack } from '../../../runtime/wire/reading.ts'
import {
  device,
  deviceSecret,
  enrolled,
  operator,
  sampleEpoch,
  sampleReading,
  secretOf,
} from '../../wire/sample.ts'
import { sampleStatement, sampleStatements } from '../../wire/statements.ts'
import type { Refused } from './refused.ts'

export async function refusedEvidence(): Promise<Refused[]> {
  return [...bodies(), ...keys(), ...evidences(await enrolled(), await enrolled(operator))]
}

/** To be opened with the leaf that the file gives; header and signature are always good. */
function bodies(): Refused[] {
  const { header, opened, leaf } = sampleEpoch({ count: 3 })
  const { content } = epochKeys(leaf)
  const place = encodePlace(header)
  const nonce = secretOf('nonce').slice(0, 12)
  const [a, b, c] = opened.packs as [Uint8Array, Uint8Array, Uint8Array]
  /** At least 256 zeros: fewer have a shorter head. */
  const padded = (...packs: Uint8Array[]) => {
    const plain = concat(...packs)
    const zeros = 512 - ((plain.length + 3) % 256)
    return concat(plain, encodeCbor(new Uint8Array(zeros)))
  }
  const sealed = (text: Uint8Array, at = place) => {
    const shield = encodeCbor(new Map([[1, 3]]))
    const box = gcmSeal(content, nonce, text, encodeCbor(['Encrypt0', shield, at]))
    return { shield, box }
  }
  const cose = (text: Uint8Array, at = place, headers: [number, Cbor][] = [[5, nonce]]) => {
    const { shield, box } = sealed(text, at)
    return concat(Uint8Array.of(0xd0), encodeCbor([shield, new Map(headers), box]))
  }
  const message = (body: Uint8Array, over: Partial<Header> = {}) => {
    const whole = { ...header, bodyBytes: body.length, bodyHash: sha256(body), ...over }
    const headerBytes = encodeHeader(whole)
    return encodeMessage({
      headerBytes,
      signature: sign(headerDigest(headerBytes), deviceSecret),
      body,
    })
  }
  /** Under a header whose root is that of these very packs. */
  const rooted = (count: number, ...packs: Uint8Array[]) => {
    const salty = salts(epochKeys(leaf).salt, packs.length)
    const tree = proofTree()
    for (const [i, pack] of packs.entries()) tree.append(leafHash(salty[i] as Uint8Array, pack))
    return message(cose(padded(...packs)), { count, root: tree.root() })
  }
  const named = ({ device: of = device, stream = 'air' }) =>
    encodePack({ ...sampleReading(1), stream }, of)
  const good = padded(a, b, c)
  const bad: [string, Uint8Array][] = [
    ['is sealed for another place', message(cose(good, place.with(63, 42)))],
    [
      'has a COSE header beside the nonce',
      message(
        cose(good, place, [
          [4, nonce],
          [5, nonce],
        ]),
      ),
    ],
    ['has lost its tag 16', message(cose(good).slice(1))],
    ['is not padded', message(cose(concat(a, b, c)))],
    ['is padded with a one', message(cose(good.with(-1, 1)))],
    ['has packs behind its padding', message(cose(concat(good, padded(a))))],
    ['has a reading less than its header says', message(cose(padded(a, b)))],
    ['has a reading less than its header says, under its own root', rooted(3, a, b)],
    ['has a reading more than its header says, under its own root', rooted(2, a, b, c)],
    ['has a reading of another device', rooted(2, a, named({ device: operator }))],
    ['has a reading of another stream', rooted(2, a, named({ stream: 'water' }))],
    ['has its readings in another order', message(cose(padded(a, c, b)))],
    ['is under another commitment', message(cose(good), { commitment: secretOf('key') })],
  ]
  return bad.map(([that, bytes]) => ({ of: 'body', that, bytes: hex(bytes) }))
}

function keys(): Refused[] {
  const node = (depth: number, prefix: number, size = 32): Cbor => [
    depth,
    prefix,
    new Uint8Array(size),
  ]
  const body = (from: number, to: number, nodes: Cbor[], { runs = 1, covers = 1 } = {}) => {
    const run: Cbor = new Map<string, Cbor>([
      ['from', from],
      ['to', to],
      ['nodes', nodes],
    ])
    const cover: Cbor = new Map<string, Cbor>([
      ['stream', 'air'],
      ['generation', 1],
      ['runs', Array.from({ length: runs }, () => run)],
    ])
    return encodeCbor(
      new Map<string, Cbor>([
        ['version', 1],
        ['covers', Array.from({ length: covers }, () => cover)],
      ]),
    )
  }
  const bad: [string, Uint8Array][] = [
    ['have a node below the leaves', body(8, 8, [node(33, 16)])],
    ['have a prefix that is wider than its depth', body(8, 8, [node(3, 8)])],
    ['have a key of 31 bytes', body(8, 8, [node(32, 8, 31)])],
    ['have a run that ends before it begins', body(9, 8, [node(32, 8)])],
    ['have 65 runs', body(8, 8, [node(32, 8)], { runs: 65 })],
    ['have 65 runs in five covers', body(8, 8, [node(32, 8)], { runs: 13, covers: 5 })],
  ]
  return bad.map(([that, bytes]) => ({ of: 'keys', that, bytes: hex(bytes) }))
}

function evidences(enrolment: Uint8Array, another: Uint8Array): Refused[] {
  const { sealed, opened } = sampleEpoch({ count: 5 })
  const path = opened.tree.path(3)
  const evidence = {
    pack: opened.packs[3] as Uint8Array,
    salt: opened.salts[3] as Uint8Array,
    index: 3,
    path,
    headerBytes: sealed.headerBytes,
    signature: sealed.signature,
  }
  const made = (over: Partial<Parameters<typeof makeEvidence>[0]>) =>
    makeEvidence({ ...evidence, ...over })
  const map = (members: [string, Cbor][]) =>
    encodeCbor(new Map([...(decodeCbor(made({}), 'evidence') as Map<string, Cbor>), ...members]))
  const other = secretOf('another key')
  const signature = sign(headerDigest(sealed.headerBytes), other)
  const stone = sampleStatement(sampleStatements[0] as (typeof sampleStatements)[0])
  const bad: [string, Uint8Array][] = [
    ['is of version 2', map([['v', 2]])],
    ['has a member that version 1 does not know', map([['more', 1]])],
    ['is of another reading', made({ pack: opened.packs[2] as Uint8Array })],
    ['has another salt', made({ salt: opened.salts[2] as Uint8Array })],
    ['has a salt of 15 bytes', made({ salt: evidence.salt.slice(1) })],
    ['has another index', made({ index: 2 })],
    ['has an index past the count', made({ index: 5 })],
    ['has a path that is too short', made({ path: path.slice(0, -1) })],
    ['has a path that is too long', made({ path: [...path, secretOf('step')] })],
    ['is of a tombstone', made({ headerBytes: stone.headerBytes, signature: stone.signature })],
    ['is signed by a key that nobody enrolled', made({ signature })],
    ['is signed by another key than was enrolled', made({ signature, enrolment })],
    ['has an enrolment of another device', made({ enrolment: another })],
  ]
  return bad.map(([that, bytes]) => ({ of: 'evidence', that, bytes: hex(bytes) }))
}
