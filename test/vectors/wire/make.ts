/**
 * Makes the golden vectors of the wire's data side: `node test/vectors/wire/make.ts`.
 *
 * Every input is derived from a word by SHA-256 (test/wire/sample.ts), every signature is deterministic
 * (RFC 6979), so that running it again writes the same bytes. A released vector is never changed: it must
 * verify and open for ever. Bytes are hex with 0x; times are ms; docs/wire.md says what each part means.
 */
import { writeFileSync } from 'node:fs'
import { sign } from '#crypto'
import { hex, utf8 } from '../../../runtime/wire/bytes.ts'
import { encodeMessage } from '../../../runtime/wire/epoch.ts'
import { makeEvidence } from '../../../runtime/wire/evidence.ts'
import { encodePlace, headerDigest, headerHash } from '../../../runtime/wire/header.ts'
import type { Json } from '../../../runtime/wire/jcs.ts'
import { cover, epochKeys, leafKey, salts, streamRoot } from '../../../runtime/wire/keytree.ts'
import { leafHash, proofTree } from '../../../runtime/wire/merkle.ts'
import { encodePack } from '../../../runtime/wire/reading.ts'
import { readSetup } from '../../../runtime/wire/setup.ts'
import { signDocument } from '../../../runtime/wire/signed.ts'
import { termsHash } from '../../../runtime/wire/terms.ts'
import { treeHeadDigest } from '../../../runtime/wire/treehead.ts'
import { unsetReading, valuesReading } from '../../wire/readings.ts'
import {
  boot,
  device,
  deviceSecret,
  enrolled,
  operator,
  operatorSecret,
  sampleEpoch,
  sampleReading,
  secretOf,
} from '../../wire/sample.ts'
import { grown, sampleIndex, sampleOffer, sampleSetup } from '../../wire/sampledocuments.ts'
import { sampleStatement, sampleStatements } from '../../wire/statements.ts'
import { chainVectors, historyVector } from './chains.ts'
import { refusedVector } from './refused.ts'

const byOperator = (digest: Uint8Array) => sign(digest, operatorSecret)
const byDevice = (digest: Uint8Array) => sign(digest, deviceSecret)

export async function vectors(): Promise<Readonly<Record<string, unknown>>> {
  return {
    reading: readings(),
    keytree: keyTrees(),
    merkle: merkleTrees(),
    epoch: epochs(),
    statement: statements(),
    chain: chainVectors(),
    history: historyVector(),
    documents: documents(),
    evidence: await evidence(),
    refused: await refusedVector(),
  }
}

function readings() {
  return [sampleReading(0), unsetReading, valuesReading].map((reading) => ({
    device,
    reading: plain(reading),
    pack: hex(encodePack(reading, device)),
  }))
}

function keyTrees() {
  const secret = secretOf('generation 1')
  const root = streamRoot(secret, 'air')
  const number = 0x8000_0005
  const leaf = leafKey([root], number) as Uint8Array
  const keys = epochKeys(leaf)
  return {
    secret: hex(secret),
    stream: 'air',
    root: hex(root.key),
    leaf: {
      number,
      key: hex(leaf),
      content: hex(keys.content),
      saltKey: hex(keys.salt),
      commitment: hex(keys.commitment),
      salts: salts(keys.salt, 3).map(hex),
    },
    covers: [
      { from: 0, to: 0xffff_ffff },
      { from: 5, to: 12 },
      { from: 0x7fff_fffe, to: 0x8000_0001 },
    ].map(({ from, to }) => ({
      from,
      to,
      nodes: cover(root, from, to).map(({ key, ...at }) => ({ ...at, key: hex(key) })),
    })),
  }
}

function merkleTrees() {
  return [0, 1, 2, 3, 5, 8].map((count) => {
    const tree = proofTree()
    const leaves = Array.from({ length: count }, (_, i) => ({
      salt: secretOf(`salt ${i}`).slice(0, 16),
      pack: utf8(`pack ${i}`),
    }))
    const hashes = leaves.map(({ salt, pack }) => leafHash(salt, pack))
    for (const leaf of hashes) tree.append(leaf)
    return {
      leaves: leaves.map(({ salt, pack }, i) => ({
        salt: hex(salt),
        pack: hex(pack),
        hash: hex(hashes[i] as Uint8Array),
        path: tree.path(i).map(hex),
      })),
      root: hex(tree.root()),
    }
  })
}

function epochs() {
  const first = sampleEpoch({ count: 3, number: 41 })
  const previous = headerHash(first.sealed.headerBytes)
  const second = sampleEpoch({ count: 2, number: 42, previous, interrupted: true })
  return [first, second].map(({ sealed, header, leaf }) => {
    const head = { boot, count: header.count, root: header.root }
    const place = encodePlace(header)
    return {
      signer: device,
      header: plain(header),
      headerBytes: hex(sealed.headerBytes),
      headerHash: hex(headerHash(sealed.headerBytes)),
      headerDigest: hex(headerDigest(sealed.headerBytes)),
      signature: hex(sealed.signature),
      place: hex(place),
      treeHeadDigest: hex(
        treeHeadDigest({ ...head, place, monotonicMs: header.closedMonotonicMs }),
      ),
      leafKey: hex(leaf),
      message: hex(encodeMessage(sealed)),
    }
  })
}

function statements() {
  return sampleStatements.map((said) => {
    const { header, headerBytes, signature, body } = sampleStatement(said)
    return {
      signer: device,
      header: plain(header),
      says: plain(said),
      body: hex(body),
      message: hex(encodeMessage({ headerBytes, signature, body })),
    }
  })
}

function documents() {
  const setup = signDocument('setup', sampleSetup, byDevice)
  const [terms] = sampleOffer.streams
  return {
    signer: device,
    offer: signDocument('offer', sampleOffer, byDevice),
    setup,
    setupHash: hex(readSetup(utf8(setup)).hash),
    terms: terms && { entry: terms, hash: hex(termsHash(terms)) },
    index: signDocument('index', sampleIndex as Json, byDevice),
    gateway: signDocument('offer', gatewayOffer, byOperator),
    later: {
      offer: signDocument('offer', grown(sampleOffer as Json), byDevice),
      setup: signDocument('setup', grown(sampleSetup as Json), byDevice),
      index: signDocument('index', grown(sampleIndex as Json), byDevice),
    },
  }
}

/** What an operator's gateway says of itself: one key thrice, and nothing for sale. */
const gatewayOffer = {
  ...sampleOffer,
  device: operator,
  operator,
  signingKey: operator,
  streams: [],
}

async function evidence() {
  const { sealed, opened } = sampleEpoch({ count: 5 })
  const enrolment = await enrolled()
  const bytes = makeEvidence({
    pack: opened.packs[3] as Uint8Array,
    salt: opened.salts[3] as Uint8Array,
    index: 3,
    path: opened.tree.path(3),
    headerBytes: sealed.headerBytes,
    signature: sealed.signature,
    enrolment,
  })
  return {
    evidence: hex(bytes),
    enrolment: hex(enrolment),
    expect: { device, signer: device, operator, index: 3, reading: plain(sampleReading(3)) },
  }
}

/** A value as JSON can carry it: bytes in hex, large integers as decimal text. */
function plain(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => {
      if (part instanceof Uint8Array) return hex(part)
      return typeof part === 'bigint' ? part.toString() : part
    }),
  )
}

if (import.meta.main) {
  for (const [name, vector] of Object.entries(await vectors())) {
    const path = new URL(`./${name}.json`, import.meta.url)
    writeFileSync(path, `${JSON.stringify(vector, null, 2)}\n`)
  }
}
