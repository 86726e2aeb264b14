/**
 * Recovery of lost books: the device goes on above all that it ever published, and says so in its chains.
 *
 *   0  what stands at the broker is heard again: it may be newer than when the books were found to be lost
 *   1  a new generation begins: the secret in a file of its own, durable
 *   2  one commit: every session ends, what was promised counts as spent, every chain gets its first header
 *      of the new generation, and the documents at the broker are ours again
 *   3  what was sealed since the books were unproven was given to nobody: it is cut anew, a few at a time
 *   4  what was heard is forgotten: the books are whole
 *
 * It can be killed anywhere and run again; each step is done once.
 */
import type { Config } from '../config/config.ts'
import { cutAnew } from '../sign/anew.ts'
import { type DeviceKey, openDeviceKey } from '../sign/key.ts'
import { generationHeader, tombstoneHeader } from '../sign/own.ts'
import type { SealedRow } from '../sign/plan.ts'
import { sealOpen } from '../sign/recover.ts'
import { openStore, type Store } from '../store/client.ts'
import type { Held, LostBooks, Recut, Uncut } from '../store/lost.ts'
import { openGenerations } from '../stream/generations.ts'
import { openMessages } from '../stream/open.ts'
import { unhex } from '../wire/bytes.ts'
import { ownStream } from '../wire/clearbody.ts'
import type { Clock } from '../wire/clock.ts'
import { zeroHash } from '../wire/header.ts'
import type { Index } from '../wire/shelf.ts'
import { indexIn, salesOf, standingOf } from './heard.ts'
import { hearAgain } from './listening.ts'

export type RecoveryParts = {
  readonly config: Config
  readonly clock: Clock
  readonly random: (length: number) => Uint8Array
  /** What is about to be done, in sentences, before it is. */
  readonly tell: (sentence: string) => void
  /** Go by what was heard when the books were found to be lost. */
  readonly offline?: boolean
}

/**
 * Numbers that are left out above the last one of the index: epochs may have gone out behind it. An index
 * follows its headers within 10 s; so long, at the shortest epochs of 100 ms, are 100 of them.
 */
const leftOut = 1_024
const recutAtOnce = 64

/** Mends the books in the config's folder; false when nothing is known to be lost. Call it under the lock. */
export async function recoverBooks(parts: RecoveryParts): Promise<boolean> {
  const { folder } = parts.config
  const key = await openDeviceKey(folder)
  const store = await openStore({ path: `${folder}/store.sqlite` })
  try {
    const before = await store.lostBooks()
    if (before === undefined) return false
    if (before.recovery === undefined && parts.offline !== true)
      parts.tell(await hearAgain(parts.config, key, store))
    await mend(parts, key, store, (await store.lostBooks()) ?? before)
    return true
  } finally {
    await store.close()
  }
}

async function mend(
  { config, clock, random, tell }: RecoveryParts,
  key: DeviceKey,
  store: Store,
  lost: LostBooks,
): Promise<void> {
  const generations = `${config.folder}/generations`
  const index = indexIn(lost, key)
  const before = await openGenerations(generations, { random })
  const wanted = 1 + Math.max(before.current, lost.generation, ...generationsOf(index))
  const generation = await store.beginRecovery(wanted)
  const { leafKey: keys } = await openGenerations(generations, { random, at: generation })
  if (lost.recovery?.adopted !== true) {
    // What a crash left open is sealed first, to be cut anew like the rest.
    const { open } = await store.recover()
    const cut = sealOpen(key, open, { keys, boot: clock.boot, random })
    if (cut.length > 0) await store.commit({ gains: [], sealed: cut, messages: [], audits: [] })
    const { held = [] } = (await store.lostBooks()) ?? {}
    const chains = chainsOf(index, held)
    for (const { stream, held, there, base } of chains)
      tell(`stream ${stream}: published to ${there}, here to ${held}; goes on at ${base + 1}`)
    const sealed = chains.flatMap((chain) => firstHeaders(key, chain, generation, clock))
    const { channels, sessions, down } = await salesOf(config, key, store, lost)
    tell(`generation ${generation} begins; ${down.length} sessions end`)
    for (const { channel, spent } of channels)
      tell(`channel ${channel}: ${spent ?? 'all'} of its next payment counts as spent`)
    await store.adopt({
      sealed,
      standing: await standingOf(key, store, lost),
      down,
      channels,
      sessions,
    })
  }
  const free = freeStreams(config)
  let anew = 0
  for (;;) {
    const rows = await store.uncut(recutAtOnce)
    if (rows.length === 0) break
    const tips = await tipsOf(store)
    const recut = rows.map((row) =>
      recutOne(row, { key, keys, random, generation, tips, free, index }),
    )
    await store.recut(recut)
    anew += recut.filter(({ row }) => row !== undefined).length
  }
  if (anew > 0) tell(`${anew} epochs that nobody was given are cut anew`)
  await store.endRecovery()
}

function generationsOf({ streams }: Index): number[] {
  return streams.flatMap(({ generations }) => generations.map(({ generation }) => generation))
}

type ChainGap = {
  readonly stream: string
  /** The last number that is proven here, the last that was published, the last that is left out. */
  readonly held: number
  readonly there: number
  readonly base: number
  /** Of the newest header that we know of. */
  readonly last: Uint8Array
}

function chainsOf({ streams }: Index, all: readonly Held[]): ChainGap[] {
  const names = new Set([...streams, ...all].map(({ stream }) => stream).concat(ownStream))
  return [...names].map((stream) => {
    const shown = streams.find((one) => one.stream === stream)
    const kept = all.find((one) => one.stream === stream)
    const there = shown?.last.number ?? 0
    const held = kept?.held ?? 0
    const isBehind = shown !== undefined && there >= held
    const last = isBehind ? unhex(shown.lastHash) : (kept?.hash ?? zeroHash)
    return { stream, held, there, base: Math.max(there, kept?.tip ?? 0) + leftOut, last }
  })
}

/** What a chain says first in its new generation: that its numbers up to here are not kept. */
function firstHeaders(
  key: DeviceKey,
  { stream, held, base, last }: ChainGap,
  generation: number,
  clock: Clock,
): SealedRow[] {
  const reason = 'the device lost its books'
  const grave = { from: held + 1, to: base, last, reason }
  const at = { number: base + 1, previous: last }
  if (stream !== ownStream)
    return [tombstoneHeader(key, { ...at, stream, generation }, grave, clock)]
  const begun = generationHeader(key, at, generation, clock)
  const next = { stream, generation, number: begun.number + 1, previous: begun.hash }
  return [begun, tombstoneHeader(key, next, grave, clock)]
}

type Tip = { readonly number: number; readonly previous: Uint8Array }

async function tipsOf(store: Store): Promise<Map<string, Tip>> {
  const { chains } = await store.recover()
  return new Map(chains.map(({ stream, number, hash }) => [stream, { number, previous: hash }]))
}

type RecutGround = {
  readonly key: DeviceKey
  readonly keys: (stream: string, generation: number, number: number) => Uint8Array
  readonly random: (length: number) => Uint8Array
  readonly generation: number
  /** The newest header of every stream; moves with what is cut. */
  readonly tips: Map<string, Tip>
  readonly free: ReadonlySet<string>
  readonly index: Index
}

function recutOne(
  { seq, stream, number, kind, message, older }: Uncut,
  ground: RecutGround,
): Recut {
  const { key, generation, tips, index } = ground
  const tip = tips.get(stream)
  const there = index.streams.find((one) => one.stream === stream)?.last.number ?? 0
  // The old statement of a generation is out of date. Readings that were signed before the copy was made
  // went out under this very number.
  const isTold = kind === 'generation' || kind === 'tombstone' || (older && number <= there)
  if (tip === undefined || isTold) return { seq, messages: [] }
  const at = { generation, number: tip.number + 1, previous: tip.previous }
  const { row, readings } = cutAnew(key, { message, at, keys: ground.keys, random: ground.random })
  tips.set(stream, { number: row.number, previous: row.hash })
  const say = openMessages(key.device)
  const open = ground.free.has(stream) ? readings : []
  const messages = open.map((reading, i) =>
    say(reading, { generation, number: row.number, index: i }),
  )
  return { seq, row, messages }
}

function freeStreams({ sensors, models }: Config): ReadonlySet<string> {
  const free = [...sensors, ...models].filter(({ price }) => price === 'free')
  return new Set(free.map(({ name }) => name))
}
