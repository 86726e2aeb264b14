/** The golden chains, followed: what a verifier in another language finds, the buyer finds too. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Follower, follow, type Verdict } from '../../runtime/buyer/follow.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { decodeAnswer } from '../../runtime/wire/answer.ts'
import { unhex } from '../../runtime/wire/bytes.ts'
import { decodeMessage, openEpoch } from '../../runtime/wire/epoch.ts'
import { decodeKeysBody } from '../../runtime/wire/keysbody.ts'
import { leafKey } from '../../runtime/wire/keytree.ts'
import { decodeRequest } from '../../runtime/wire/request.ts'
import type { chainVectors, Fetch, historyVector } from '../vectors/wire/chains.ts'

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/wire/${name}.json`, import.meta.url), 'utf8'))
const { messages, chains, ...whose }: ReturnType<typeof chainVectors> = golden('chain')
const { keys, fetches }: ReturnType<typeof historyVector> = golden('history')

for (const { what, stream, heard, ...expected } of chains) {
  test(`a chain ${what}`, () => {
    const follower = follow({ ...whose, stream } as Parameters<typeof follow>[0])
    const verdicts = heard.flatMap((name) =>
      follower.take(decodeMessage(unhex(messages[name] as string))),
    )
    assert.deepEqual(judged([...verdicts, ...givenUp(follower)]), expected)
  })
}

for (const { what, request, parts, readings, evicted, cursor } of fetches as readonly Fetch[]) {
  test(`history: ${what}`, () => {
    const asked = decodeRequest(unhex(request))
    assert.ok(asked.kind === 'fetch')
    const options = { device: whose.device as Address, signingKey: whose.signingKey as Address }
    const follower = follow({ ...options, stream: asked.stream, at: asked.from })
    const chunks = parts.map((part) => decodeAnswer(unhex(part)))
    const sent = chunks.flatMap((chunk) => (chunk.kind === 'chunk' ? chunk.messages : []))
    const verdicts = sent.flatMap((message) => follower.take(decodeMessage(message)))
    assert.deepEqual(judged(verdicts).gaps, [])
    assert.deepEqual(judged(verdicts).findings, [])
    const opened = verdicts.flatMap((verdict) =>
      verdict.kind === 'epoch' ? [[verdict.message.header.number, readingsIn(verdict)]] : [],
    )
    assert.deepEqual(Object.fromEntries(opened), readings)
    for (const [from, to] of evicted) {
      assert.ok(follower.isBuried(from) && follower.isBuried(to))
    }
    const last = chunks.at(-1)
    assert.ok(last?.kind === 'chunk' && last.last)
    assert.equal(last.cursor, cursor)
  })
}

function readingsIn({ message }: Extract<Verdict, { kind: 'epoch' }>): number {
  const { number, stream, generation } = message.header
  const covers = decodeKeysBody(unhex(keys)).covers
  const cover = covers.find((one) => one.stream === stream && one.generation === generation)
  const leaf = leafKey(cover?.runs.flatMap(({ nodes }) => nodes) ?? [], number)
  assert.ok(leaf)
  return openEpoch(message, leaf).readings.length
}

function givenUp(follower: Follower): Verdict[] {
  const verdicts: Verdict[] = []
  while (follower.missing() !== undefined) verdicts.push(...follower.giveUp())
  return verdicts
}

function judged(verdicts: readonly Verdict[]) {
  const of = <K extends Verdict['kind']>(kind: K) =>
    verdicts.filter((one) => one.kind === kind) as Extract<Verdict, { kind: K }>[]
  return {
    epochs: of('epoch').map(({ message }) => message.header.number),
    findings: of('finding').map(({ number, finding }) => [number, finding]),
    evicted: of('evicted').map(({ from, to }) => [from, to]),
    gaps: of('gap').map(({ from, to }) => [from, to]),
  }
}
