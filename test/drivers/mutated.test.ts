/**
 * Captures with bytes changed, lost, doubled and put in, in any chunks: 100,000 bytes a driver, or as many as
 * WAYSIDE_FUZZ_BYTES says. Nothing throws or hangs, no more than a frame is held, every saying is such as the
 * wire takes, and behind every saying of a guarded protocol stands a frame whose checksum is worked out here
 * once more, by the letter of its manual.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lines } from '../../drivers/lines/index.ts'
import { mhz19 } from '../../drivers/mhz19.ts'
import { plantower } from '../../drivers/plantower.ts'
import { sds011 } from '../../drivers/sds011.ts'
import { sps30 } from '../../drivers/sps30.ts'
import { vedirect } from '../../drivers/vedirect/index.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { type Driver, unitsOf } from '../../runtime/sense/driver.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { isFieldName, isSubject } from '../../runtime/wire/reading.ts'
import { isUnit } from '../../runtime/wire/units.ts'
import { cases } from './bench.ts'
import { bytesOf, type Case } from './maps.ts'

const bytesMax = Number(process.env.WAYSIDE_FUZZ_BYTES ?? 100_000)
const seed = Number(process.env.WAYSIDE_FUZZ_SEED ?? 20_260_301)

const sum = (bytes: Uint8Array) => bytes.reduce((all, byte) => all + byte, 0)
const word = (bytes: Uint8Array, at: number) => 256 * (bytes[at] ?? 0) + (bytes[at + 1] ?? 0)

/** Whether a frame of the driver that is whole begins here. Left out: nothing guards it. */
const guards: Readonly<Record<string, (from: Uint8Array) => boolean>> = {
  plantower(from) {
    const size = word(from, 2) + 4
    const head = word(from, 0) === 0x424d && [24, 32, 40].includes(size)
    return head && sum(from.subarray(0, size - 2)) % 65_536 === word(from, size - 2)
  },
  sds011(from) {
    const ends = from[0] === 0xaa && from[9] === 0xab && from.length >= 10
    return ends && sum(from.subarray(2, 8)) % 256 === from[8]
  },
  mhz19: (from) => from[0] === 0xff && from.length >= 9 && sum(from.subarray(1, 9)) % 256 === 0,
  sps30(from) {
    const inside = from.subarray(1, from.indexOf(0x7e, 1))
    const plain = Buffer.from(inside)
      .toString('hex')
      .replace(/(..)/g, '$1 ')
      .replace(/7d (..)/g, (_, byte) =>
        (Number.parseInt(byte, 16) ^ 0x20).toString(16).padStart(2, '0'),
      )
    return from[0] === 0x7e && sum(Buffer.from(plain.replaceAll(' ', ''), 'hex')) % 256 === 255
  },
  vedirect: (from) =>
    copies(Buffer.from(from).toString('latin1')).some((text) => {
      const plain = text.replace(/:[^\n]*\n/g, (hex, at) =>
        text.slice(0, at).includes('\r\nChecksum\t') ? hex : '',
      )
      const end = plain.indexOf('\r\nChecksum\t') + 12
      return end > 11 && sum(Buffer.from(plain.slice(0, end), 'latin1')) % 256 === 0
    }),
}

/** A block of VE.Direct as it may have been sent: with the line ends that a copy of it lost. */
function copies(block: string): string[] {
  if (block.startsWith('\r')) return [block]
  const end = block.indexOf('\nChecksum\t') + 10
  const body = block.slice(0, end)
  return [body, body.replace(/\r?\n/g, '\r\n'), body.replaceAll('\n\n', '\r\n')].map(
    (lines) => `\r\n${lines.replace(/^\r?\n/, '')}${block.slice(end)}`,
  )
}

const seeds: Readonly<Record<string, readonly Uint8Array[]>> = {
  lines: [
    '{"t":23.5,"b":{"h":[1,null,"x"]}}\r\n{"t":nan}\n',
    't,h\n23.5;40\n23,5;"40"\n1,2,3\n',
    'Humidity: 45.0%  Temperature: 23.0°C 73.4°F\nt=1e5 h:2;x=18446744073709551615\n',
  ].map((text) => new TextEncoder().encode(text)),
}

const polled = {
  [plantower.id]: { mode: 'ask', every: '1min' },
  [sds011.id]: { mode: 'ask', every: '1min' },
} as Readonly<Record<string, Record<string, unknown>>>

for (const driver of [plantower, sds011, sps30, mhz19, vedirect, lines]) {
  const samples =
    seeds[driver.id] ?? cases<Case>(`${driver.id}/cases.json`).map((one) => bytesOf(driver.id, one))

  test(`${driver.id}: ${bytesMax} mutated bytes are survived, and what is said is guarded`, () => {
    const random = chance(seed)
    let read = 0
    for (let done = 0; done < bytesMax; ) {
      const stream = mutate(samples, random)
      done += stream.length
      read += feed(driver, stream, random)
    }
    assert.ok(read > 0, 'some frames come through')
  })

  test(`${driver.id}: one that answers everything with the same frame is not asked without end`, () => {
    for (const options of [{}, polled[driver.id] ?? {}]) {
      for (const answer of samples) {
        const sends = converse(driver, options, answer)
        assert.ok(sends <= 100, `${sends} questions in a minute`)
      }
    }
  })
}

/** Feeds in chunks, asks in between; how many sayings there were. Fails where the promises above are broken. */
function feed(driver: Driver, stream: Uint8Array, random: () => number): number {
  const options = readOptions(driver)
  const work = decoder(driver, options)
  let read = 0
  const hold = (heard: ReturnType<typeof work.push>) => {
    for (const { offset, said } of heard) {
      if (!said.ok) continue
      read += 1
      const guard = guards[driver.id]
      const from = stream.subarray(offset)
      assert.ok(
        guard?.(from) ?? said.unchecked,
        `seed ${seed}: ${Buffer.from(from.subarray(0, 60)).toString('hex')}`,
      )
      assert.ok(Object.keys(said.values).every(isFieldName))
      assert.ok(said.subject === undefined || isSubject(said.subject))
      assert.ok(Object.values(unitsOf(driver, said)).every(isUnit))
      for (const value of Object.values(said.values))
        assert.ok(typeof value !== 'number' || Number.isFinite(value))
    }
  }
  for (let at = 0; at < stream.length; ) {
    const size = 1 + Math.floor(random() * 80)
    hold(work.push(stream.subarray(at, at + size)))
    at = Math.min(at + size, stream.length)
    assert.ok(at - work.heldFrom() <= driver.shape.sizeMax)
    work.ask(at)
  }
  hold(work.finish())
  return read
}

/** Questions of a simulated minute to a sensor that answers each of them after 1 ms. */
function converse(driver: Driver, written: Record<string, unknown>, answer: Uint8Array): number {
  const options = readOptions(driver, written)
  const work = decoder(driver.under?.(options) ?? driver, options)
  let sends = 0
  for (let nowMs = 0, turns = 0; nowMs < 60_000; turns += 1) {
    assert.ok(turns < 10_000, 'time goes on')
    const turn = work.ask(nowMs)
    if (turn === undefined) return 0
    nowMs += turn.send === undefined ? Math.max(turn.wakeMs, 1) : 1
    if (turn.send === undefined) continue
    sends += 1
    work.push(answer)
  }
  return sends
}

/** About a kilobyte of these, one byte in 40 of it changed, lost, doubled or new. */
function mutate(samples: readonly Uint8Array[], random: () => number): Uint8Array {
  const bytes: number[] = []
  const one = () => Math.floor(random() * 256)
  while (bytes.length < 1_000) {
    for (const byte of samples[Math.floor(random() * samples.length)] ?? []) {
      const fate = random() * 160
      if (fate >= 4) bytes.push(byte)
      else if (fate >= 3) bytes.push(byte ^ (1 << Math.floor(random() * 8)))
      else if (fate >= 2) bytes.push(byte, byte)
      else if (fate >= 1) bytes.push(one(), byte)
    }
  }
  return Uint8Array.from(bytes)
}

/** The same numbers for the same seed: a linear congruence (Numerical Recipes, "ranqd1"). */
function chance(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
