/**
 * Chains as a verifier may hear them, with what it finds in each; and one stretch of history: the index that
 * offers it, the runs of chunks that bring it, the keys that open it.
 */
import { addressOf, sign } from '#crypto'
import { encodeAnswer } from '../../../runtime/wire/answer.ts'
import { hex } from '../../../runtime/wire/bytes.ts'
import type { Cbor } from '../../../runtime/wire/cbor.ts'
import { decodeMessage } from '../../../runtime/wire/epoch.ts'
import { headerHash } from '../../../runtime/wire/header.ts'
import { encodeKeysBody } from '../../../runtime/wire/keysbody.ts'
import { cover, type KeyNode } from '../../../runtime/wire/keytree.ts'
import { encodeRequest } from '../../../runtime/wire/request.ts'
import { signDocument } from '../../../runtime/wire/signed.ts'
import { chain } from '../../buyer/chain.ts'
import { boot, deviceSecret, secretOf } from '../../wire/sample.ts'

const device = addressOf(deviceSecret)
const hashOf = (message: Uint8Array) => headerHash(decodeMessage(message).headerBytes)
const stone = (from: number, to: number, last: Uint8Array): Cbor =>
  new Map<string, Cbor>([
    ['from', from],
    ['to', to],
    ['last', last],
    ['reason', 'quota'],
  ])

type Chain = {
  readonly what: string
  readonly stream?: string
  /** Names of messages in the order in which they come. */
  readonly heard: readonly string[]
  readonly epochs?: readonly number[]
  readonly findings?: readonly (readonly [number, string])[]
  readonly evicted?: readonly (readonly [number, number])[]
  readonly gaps?: readonly (readonly [number, number])[]
}

const chains: readonly Chain[] = [
  { what: 'in order', heard: ['1', '2', '3', '4'], epochs: [1, 2, 3, 4] },
  { what: 'in any order, and twice', heard: ['1', '4', '2', '2', '3', '1'], epochs: [1, 2, 3, 4] },
  { what: 'entered in its middle', heard: ['3', '2', '4'], epochs: [3, 4] },
  { what: 'with a gap', heard: ['1', '4', '5'], epochs: [1, 4, 5], gaps: [[2, 3]] },
  {
    what: 'evicted: a tombstone behind them stands for 4 to 7',
    heard: ['2', '3', '8 stands for 4 to 7', '9', '10'],
    epochs: [2, 3, 9, 10],
    evicted: [[4, 7]],
  },
  {
    what: 'a header that a tombstone stands for, kept by somebody',
    heard: ['3', '6', '8 stands for 4 to 7', '9'],
    epochs: [3, 6, 9],
    evicted: [
      [4, 5],
      [7, 7],
    ],
  },
  {
    what: 'behind a tombstone, a header that does not name its last',
    heard: ['3', '8 stands for 4 to 7, wrongly', '9'],
    epochs: [3, 9],
    findings: [[8, 'broken chain']],
    evicted: [[4, 7]],
    gaps: [[8, 8]],
  },
  {
    what: 'lost books: numbers left out, the chain goes on from the newest header that was known',
    heard: ['1', '2', '103 after lost books', '104 after lost books'],
    epochs: [1, 2, 104],
    evicted: [[3, 102]],
  },
  {
    what: 'lost books, seen by one who holds what was lost',
    heard: ['1', '2', '3', '103 after lost books', '104 after lost books'],
    epochs: [1, 2, 3, 104],
    evicted: [[4, 102]],
  },
  { what: 'a kind of a later version', heard: ['10', '11 of kind 9', '12'], epochs: [10, 12] },
  {
    what: 'the chain of the device: generation, clock map, generation',
    stream: 'device',
    heard: ['device 1', 'device 2', 'device 3'],
  },
  {
    what: 'a clock map of another boot: it stands in the chain and says nothing',
    stream: 'device',
    heard: ['device 1', 'device 2', 'device 3 of another boot'],
    findings: [[3, 'malformed body']],
  },
  {
    what: 'two headers of one number',
    heard: ['1', '2', 'another 2', '3'],
    epochs: [1, 2, 3],
    findings: [[2, 'fork']],
  },
  {
    what: 'spliced: 3 of another past',
    heard: ['1', '2', 'another 3', '4'],
    epochs: [1, 2, 4],
    findings: [[3, 'broken chain']],
    gaps: [[3, 3]],
  },
  {
    what: 'a generation that went back',
    heard: ['104 after lost books', '105 of generation 1'],
    epochs: [104],
    findings: [[105, 'generation went back']],
  },
  {
    what: 'the same time twice: the second stands and is not paid',
    heard: ['1', '2 over the time of 1', '3 behind it'],
    epochs: [1, 3],
    findings: [[2, 'overlapping time']],
  },
  {
    what: 'messages that are not of this chain',
    heard: ['1', 'of stream water', 'signed by another key', '2'],
    epochs: [1, 2],
    findings: [
      [1, 'another stream'],
      [2, 'wrong signature'],
    ],
  },
]

export function chainVectors() {
  const { messages } = made()
  const shown = Object.fromEntries([...messages].map(([name, bytes]) => [name, hex(bytes)]))
  const nothing = { stream: 'air', epochs: [], findings: [], evicted: [], gaps: [] }
  return {
    device,
    signingKey: device,
    messages: shown,
    chains: chains.map((one) => ({ ...nothing, ...one })),
  }
}

/** Of the stream's numbers 4 to 7 only their tombstone is left. */
export function historyVector() {
  const { messages, root } = made()
  const names = ['1', '2', '3', '8 stands for 4 to 7', '9', '10']
  const [m1, m2, m3, stone8, m9, m10] = names.map((name) => messages.get(name) as Uint8Array) as [
    ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array],
  ]
  const tombstones = [{ from: 4, to: 7 }]
  const generations = [{ generation: 1, first: 1, last: 10 }]
  const first = { number: 1, monotonicMs: decodeMessage(m1).header.openedMonotonicMs }
  const last = { number: 10, monotonicMs: decodeMessage(m10).header.closedMonotonicMs }
  const shelf = { stream: 'air', generations, first, last, lastHash: hex(hashOf(m10)), tombstones }
  const index = { version: 7, device, streams: [shelf] }
  const fetches: readonly Fetch[] = [
    {
      what: 'a range in two parts: the tombstone comes in the place of 4, and under its own number',
      ...asked(
        { from: 2, to: 10 },
        [
          [m2, m3, stone8],
          [stone8, m9, m10],
        ],
        [8, undefined],
      ),
      readings: { 2: 2, 3: 2, 9: 2, 10: 2 },
      evicted: [[4, 7]],
    },
    {
      what: 'one number, which is evicted',
      ...asked({ from: 5, to: 5 }, [[stone8]], [undefined]),
      readings: {},
      evicted: [[5, 5]],
    },
    {
      what: 'a run that ends at the limit of its bytes: ask again from 9',
      ...asked({ from: 3, to: 10, generation: 1 }, [[m3, stone8, stone8]], [9]),
      cursor: 9,
      readings: { 3: 2 },
      evicted: [[4, 7]],
    },
    {
      what: 'what is above the newest is not waited for',
      ...asked({ from: 9, to: 50, cursor: 9 }, [[m9], [m10]], [10, undefined]),
      readings: { 9: 2, 10: 2 },
      evicted: [],
    },
  ]
  return {
    device,
    signingKey: device,
    index: signDocument('index', index, (digest) => sign(digest, deviceSecret)),
    keys: hex(keysOf(root)),
    fetches,
  }
}

export type Fetch = {
  readonly what: string
  /** Encoded request, its counter, and the bodies of the answers that come. */
  readonly request: string
  readonly to: number
  readonly parts: readonly string[]
  /** Where to ask again from, when the run ended before the range. */
  readonly cursor?: number
  /** How many readings each epoch holds. */
  readonly readings: Readonly<Record<number, number>>
  readonly evicted: readonly (readonly [number, number])[]
}

type Asked = {
  readonly from: number
  readonly to: number
  readonly generation?: number
  readonly cursor?: number
}

function asked(
  range: Asked,
  parts: readonly (readonly Uint8Array[])[],
  cursors: readonly (number | undefined)[],
) {
  const to = 42n
  return {
    request: hex(encodeRequest({ kind: 'fetch', stream: 'air', ...range })),
    to: Number(to),
    parts: parts.map((messages, part) => {
      const cursor = cursors[part]
      const more = cursor === undefined ? {} : { cursor }
      const last = part === parts.length - 1
      return hex(encodeAnswer({ kind: 'chunk', to, part, messages, ...more, last }))
    }),
  }
}

function keysOf(root: KeyNode): Uint8Array {
  const run = (from: number, to: number) => ({ from, to, nodes: cover(root, from, to) })
  const runs = [run(1, 3), run(8, 10)]
  return encodeKeysBody({ version: 3n, covers: [{ stream: 'air', generation: 1, runs }] })
}

/** Every message that the chains are made of, by its name. */
function made() {
  const messages = new Map<string, Uint8Array>()
  const put = (name: string, bytes: Uint8Array) => {
    messages.set(name, bytes)
    return bytes
  }
  const air = chain()
  for (let number = 1; number <= 7; number += 1) put(`${number}`, air.epoch(2))
  const hash = (name: string) => hashOf(messages.get(name) as Uint8Array)
  put('8 stands for 4 to 7', air.statement('tombstone', stone(4, 7, hash('7'))))
  for (const number of [9, 10]) put(`${number}`, air.epoch(2))
  put('11 of kind 9', air.statement(9, 'what a later version says'))
  put('12', air.epoch(2))

  const wrong = chain({ first: 8, previous: hash('7') })
  put('8 stands for 4 to 7, wrongly', wrong.statement('tombstone', stone(4, 7, hash('6'))))
  const other = chain({ first: 2, previous: hash('1') })
  put('another 2', other.epoch(1))
  put('another 3', other.epoch(1))
  const greedy = chain({ first: 2, previous: hash('1') })
  put('2 over the time of 1', greedy.epoch(1, { openedMonotonicMs: 10_500 }))
  put('3 behind it', greedy.epoch(1))

  const anew = chain({ first: 103, previous: hash('2'), generation: 2, boot: 'ee'.repeat(16) })
  put('103 after lost books', anew.statement('tombstone', stone(3, 102, hash('2'))))
  put('104 after lost books', anew.epoch(1))
  const back = chain({ first: 105, previous: anew.lastHash() })
  put('105 of generation 1', back.epoch(1))

  const own = chain({ stream: 'device' })
  put('device 1', own.statement('generation', new Map([['generation', 1]])))
  put('device 2', own.statement('clock map', clockMap(boot)))
  const next = chain({ stream: 'device', first: 3, previous: own.lastHash(), generation: 2 })
  put('device 3', next.statement('generation', new Map([['generation', 2]])))
  const lying = chain({ stream: 'device', first: 3, previous: own.lastHash() })
  put('device 3 of another boot', lying.statement('clock map', clockMap('ff'.repeat(16))))

  put('of stream water', chain({ stream: 'water' }).epoch(1))
  const forger = chain({ secret: secretOf('forger'), first: 2, previous: hash('1') })
  put('signed by another key', forger.epoch(1, { device }))
  return { messages, root: air.root }
}

function clockMap(of: string): Cbor {
  return new Map<string, Cbor>([
    ['boot', Buffer.from(of, 'hex')],
    ['monotonicMs', 20_000],
    ['wallMs', 1_790_000_010_000],
    ['quality', 'synced'],
  ])
}
