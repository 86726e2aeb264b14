/** A device that senses, sells and forgets, and the look of a verifier at all that it has to show. */
import assert from 'node:assert/strict'
import { equal } from '../../runtime/wire/bytes.ts'
import { readClearBody } from '../../runtime/wire/clearbody.ts'
import { decodeMessage } from '../../runtime/wire/epoch.ts'
import { headerHash } from '../../runtime/wire/header.ts'
import { type Device, makerOf, plan, readingAt, until } from '../sign/fixture.ts'

/** Seals so many epochs of three readings in each of these streams, then does the rest with the maker. */
export async function sense(
  device: Device,
  streams: readonly string[],
  epochs: number,
  rest: (maker: ReturnType<typeof makerOf>) => Promise<void> = async () => {},
): Promise<void> {
  const stop = new AbortController()
  let sealed = 0
  const maker = makerOf(device, {
    streams: streams.map((name) => plan(name, { countMax: 3 })),
    sealed: ({ kind }) => {
      if (kind === 'readings') sealed += 1
    },
    limits: { fullRetryMs: 20 },
  })
  const done = maker.start(stop.signal)
  for (let i = 0; i < 3 * epochs; i += 1) {
    for (const stream of streams) {
      await until(() => maker.take(readingAt(device.clock, i, stream)))
    }
  }
  await until(() => sealed >= epochs * streams.length)
  await rest(maker)
  stop.abort()
  await done
}

/** The broker takes all that waits. */
export async function publish({ store }: Device): Promise<void> {
  for (;;) {
    const rows = await store.outgoing(0, 1_000, 1 << 24)
    if (rows.length === 0) return
    await store.sent(rows.map(({ id }) => id))
  }
}

export type Shown = { readonly stored: number; readonly gone: number; readonly last: number }

/**
 * Fetches all of a stream, a few messages at a time as a buyer would, and follows the chain from its first
 * number to its last: every number is either there or under exactly one live tombstone.
 */
export async function verifyAll({ store, key }: Device, stream: string): Promise<Shown> {
  const shelf = (await store.shelf()).find((row) => row.stream === stream)
  assert.ok(shelf)
  let next = 1
  let previous: Uint8Array = new Uint8Array(32)
  let stored = 0
  const graves: { from: number; to: number }[] = []
  for (let cursor: number | undefined = 1; cursor !== undefined; ) {
    const range = { stream, from: cursor, to: 1e9 }
    const page: Awaited<ReturnType<typeof store.saleMessages>> = await store.saleMessages(
      range,
      7,
      1e6,
    )
    for (const bytes of page.messages) {
      const message = decodeMessage(bytes)
      const { header } = message
      assert.equal(message.signer, key.signingKey)
      if (header.number === next) {
        assert.ok(equal(header.previous, previous), `${stream} ${next} breaks the chain`)
        previous = headerHash(message.headerBytes)
        next += 1
        stored += 1
        continue
      }
      const said = readClearBody(message)
      assert.ok(said.kind === 'tombstone')
      assert.equal(said.from, next, `${stream}: numbers that nobody accounts for`)
      for (const number of [said.from, said.to])
        for (const generation of [1, 2, 3])
          assert.equal(await store.epochMessage(stream, generation, number), undefined)
      graves.push({ from: said.from, to: said.to })
      previous = said.last
      next = said.to + 1
    }
    cursor = page.next
  }
  assert.equal(next - 1, shelf.last.number)
  assert.ok(equal(previous, shelf.lastHash))
  assert.deepEqual(shelf.tombstones, graves)
  return { stored, gone: next - 1 - stored, last: next - 1 }
}
