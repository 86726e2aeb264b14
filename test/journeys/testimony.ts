/**
 * What an outside witness was told of a device over all its lives, held against what it sealed: every
 * check returns what is wrong, in sentences; none is what one hopes for.
 */
import { equal, text } from '../../runtime/wire/bytes.ts'
import {
  carriesReadings,
  decodeMessage,
  type Message,
  openEpoch,
} from '../../runtime/wire/epoch.ts'
import { headerHash, zeroHash } from '../../runtime/wire/header.ts'
import { readOffer } from '../../runtime/wire/offer.ts'
import type { Reading } from '../../runtime/wire/reading.ts'

/** From a start of the process to its end, on the machine's monotonic clock, and what it told of. */
export type Life = {
  readonly fromMs: number
  readonly toMs: number
  /** Stream → the most readings that this life said were stored. */
  readonly stored: ReadonlyMap<string, number>
}

export type Testimony = {
  readonly lives: readonly Life[]
  /** Every message on an epoch topic, as often as it came. */
  readonly epochs: readonly Uint8Array[]
  /** Every message on an open topic: SenML JSON. */
  readonly opens: readonly { readonly stream: string; readonly payload: Uint8Array }[]
  /** Every offer of the device. */
  readonly offers: readonly Uint8Array[]
}

/** An epoch as it was heard first; the readings of those that carry some. */
export type Heard = { readonly message: Message; readonly readings: readonly Reading[] }
/** `<stream>/<number>` → epoch. */
export type Epochs = ReadonlyMap<string, Heard>
export type LeafKey = (stream: string, generation: number, number: number) => Uint8Array

/** Opens every epoch that was heard. A number with two contents, or a seal that does not open, is wrong. */
export function openAll(
  messages: readonly Uint8Array[],
  leafKey: LeafKey,
): { readonly epochs: Epochs; readonly wrong: readonly string[] } {
  const epochs = new Map<string, Heard>()
  const first = new Map<string, Uint8Array>()
  const wrong: string[] = []
  for (const bytes of messages) {
    const message = decodeMessage(bytes)
    const { stream, generation, number } = message.header
    const name = `${stream}/${number}`
    const before = first.get(name)
    if (before !== undefined) {
      if (!equal(before, bytes)) wrong.push(`${name} was sent with two contents`)
      continue
    }
    first.set(name, bytes)
    try {
      const readings = carriesReadings(message.header)
        ? openEpoch(message, leafKey(stream, generation, number)).readings
        : []
      epochs.set(name, { message, readings })
    } catch (cause) {
      wrong.push(`${name} does not open: ${(cause as Error).message}`)
    }
  }
  return { epochs, wrong }
}

/** Numbers run from 1 without a hole, each header names the one before, and time is covered once. */
export function brokenChains(epochs: Epochs): string[] {
  const wrong: string[] = []
  for (const [stream, chain] of byStream(epochs)) {
    let previous: Uint8Array = zeroHash
    let closedMs = 0
    for (const [i, { message }] of chain.entries()) {
      const { header, headerBytes, signer } = message
      const name = `${stream}/${header.number}`
      if (header.number !== i + 1) wrong.push(`${name} stands where ${stream}/${i + 1} should`)
      if (!equal(header.previous, previous)) wrong.push(`${name} does not name the header before`)
      if (signer !== header.device) wrong.push(`${name} is signed by another key`)
      if (header.openedMonotonicMs < closedMs) wrong.push(`${name} overlaps the epoch before`)
      previous = headerHash(headerBytes)
      closedMs = header.closedMonotonicMs
    }
  }
  return wrong
}

/** Every life sealed at least as many readings of every stream as it had told of. */
export function lostReadings(lives: readonly Life[], epochs: Epochs): string[] {
  const readings = readingsByStream(epochs)
  return lives.flatMap(({ fromMs, toMs, stored }, life) =>
    [...stored].flatMap(([stream, told]) => {
      const sealed = (readings.get(stream) ?? []).filter(
        ({ monotonicMs }) => fromMs <= monotonicMs && monotonicMs <= toMs,
      ).length
      return sealed >= told
        ? []
        : [`life ${life} told of ${told} of ${stream} and sealed ${sealed}`]
    }),
  )
}

/** `serial` is a field in which the sensor numbers its frames: none stands twice or behind a later one. */
export function repeatedReadings(epochs: Epochs, serial: string): string[] {
  return [...readingsByStream(epochs)].flatMap(([stream, readings]) =>
    readings.flatMap(({ values }, i) => {
      const before = i === 0 ? 0 : Number(readings[i - 1]?.values[serial])
      const now = Number(values[serial])
      return now > before ? [] : [`${stream} has frame ${now} behind frame ${before}`]
    }),
  )
}

/** Every open message stands in the sealed epoch that it names, where it says, with the same values. */
export function strayOpens(opens: Testimony['opens'], epochs: Epochs): string[] {
  const first = new Map<string, string>()
  return opens.flatMap(({ stream, payload }) => {
    const said = text(payload)
    const records = JSON.parse(said) as OpenRecord[]
    const { epoch = 0, index = 0, mono } = records[0] ?? {}
    const name = `${stream}/${epoch}#${index}`
    if ((first.get(name) ?? said) !== said) return [`${name} was published with two contents`]
    first.set(name, said)
    const reading = epochs.get(`${stream}/${epoch}`)?.readings[index]
    if (reading === undefined) return [`${name} was published and is in no epoch`]
    const values = records.map(({ n, v }) => [n, v])
    const same =
      JSON.stringify(values) === JSON.stringify(Object.entries(reading.values)) &&
      mono === reading.monotonicMs
    return same ? [] : [`${name} was published otherwise than it was sealed`]
  })
}

/** A line that the buyer printed: each stands in the epoch that it names, once, with the same values. */
export type Line = {
  readonly stream: string
  readonly epoch: number
  readonly index: number
  readonly values: unknown
}

export function strayLines(lines: readonly Line[], epochs: Epochs): string[] {
  const seen = new Set<string>()
  return lines.flatMap(({ stream, epoch, index, values }) => {
    const name = `${stream}/${epoch}#${index}`
    if (seen.has(name)) return [`the buyer got ${name} twice`]
    seen.add(name)
    const reading = epochs.get(`${stream}/${epoch}`)?.readings[index]
    return reading !== undefined && JSON.stringify(reading.values) === JSON.stringify(values)
      ? []
      : [`the buyer got ${name} otherwise than it was sealed`]
  })
}

/** A stream's epochs that lie between two that the buyer read, and that it did not read whole. */
export function skippedEpochs(lines: readonly Line[], epochs: Epochs): string[] {
  const read = new Map<string, number>()
  for (const { stream, epoch } of lines) {
    const name = `${stream}/${epoch}`
    read.set(name, (read.get(name) ?? 0) + 1)
  }
  return [...byStream(epochs)].flatMap(([stream, chain]) => {
    const numbers = chain.map(({ message }) => message.header.number)
    const bought = numbers.filter((number) => read.has(`${stream}/${number}`))
    const [from = 1] = bought
    const to = bought.at(-1) ?? 0
    return chain.slice(from - 1, to).flatMap(({ message: { header } }) => {
      const name = `${stream}/${header.number}`
      const got = read.get(name) ?? 0
      return got === header.count ? [] : [`the buyer read ${got} of ${header.count} in ${name}`]
    })
  })
}

/** Of the offers of one device: a version never says two things, and none comes behind a later one. */
export function mixedOffers(offers: readonly Uint8Array[]): string[] {
  const first = new Map<number, string>()
  let newest = 0
  return offers.flatMap((payload) => {
    const { version } = readOffer(payload).offer
    const said = text(payload)
    const before = first.get(version)
    if (before !== undefined) return before === said ? [] : [`offer ${version} says two things`]
    first.set(version, said)
    if (version < newest) return [`offer ${version} came behind ${newest}`]
    newest = version
    return []
  })
}

type OpenRecord = {
  readonly epoch?: number
  readonly index?: number
  readonly mono?: number
  readonly n: string
  readonly v: number
}

function byStream(epochs: Epochs): Map<string, Heard[]> {
  const chains = new Map<string, Heard[]>()
  for (const heard of epochs.values()) {
    const { stream } = heard.message.header
    chains.set(stream, [...(chains.get(stream) ?? []), heard])
  }
  for (const chain of chains.values()) {
    chain.sort((a, b) => a.message.header.number - b.message.header.number)
  }
  return chains
}

function readingsByStream(epochs: Epochs): Map<string, Reading[]> {
  return new Map(
    [...byStream(epochs)].map(([stream, chain]) => [
      stream,
      chain.flatMap(({ readings }) => readings),
    ]),
  )
}
