/**
 * What every case of a family becomes, held three ways: each case has an entry in the family's map.json and
 * each entry a case; the driver says what the entry says; and what the case itself expects, written by
 * others, is in the entry under our name and in our unit.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Driver, Value } from '../../runtime/sense/driver.ts'
import { capture, cases, doubts, hear, sayings } from './bench.ts'

/** A row of map.json. */
export type Becomes = {
  readonly options?: Readonly<Record<string, unknown>>
  /** Read as `decode --no-checksum` does; what is said must be marked unchecked. */
  readonly unchecked?: true
} & (
  | {
      readonly becomes: 'values'
      readonly values: Readonly<Record<string, Value>>
      readonly subject?: string
      readonly time?: string
    }
  | {
      readonly becomes: 'readings'
      readonly count: number
      readonly first: Readonly<Record<string, Value>>
      readonly last: Readonly<Record<string, Value>>
      /** How often each reason; left out, none. */
      readonly doubts?: Readonly<Record<string, number>>
    }
  | { readonly becomes: 'doubt'; readonly doubt: string }
  /** Nobody's measurement, such as a command to the sensor: nothing may be read from it. */
  | { readonly becomes: 'out of scope'; readonly why: string }
)

export type Case = {
  readonly name: string
  readonly input_hex?: string
  readonly input_text?: string | readonly string[]
  readonly input_file?: string
  readonly expect: Readonly<Record<string, unknown>>
}

/**
 * Their name → ours, and by how much theirs is multiplied; null for what is no measurement of ours, with
 * the reason beside it in the test.
 */
export type Names = Readonly<Record<string, readonly [string, number] | null>>

/** How the expectations of a family are to be read. */
export type Reading = {
  /** Their names and values, where they stand deeper than in `expect` itself; null is what is not there. */
  readonly flat: (expect: Case['expect']) => Readonly<Record<string, unknown>>
  /** By what part of a number ours may differ. */
  readonly near: number
  /** Where the cases are; left out, in cases.json. */
  readonly files?: readonly string[]
}

/** Holds the family's map, its driver and the independent expectations together. */
export function holdMap(family: string, driver: Driver, names: Names, reading?: Reading): void {
  const all = casesOf(family, reading?.files)
  const map = JSON.parse(new TextDecoder().decode(capture(`${family}/map.json`))) as Readonly<
    Record<string, Becomes>
  >

  test(`${family}: every case is in the map, and nothing else`, () => {
    assert.deepEqual(Object.keys(map).sort(), all.map(({ name }) => name).sort())
  })

  for (const one of all) {
    const row = map[one.name]
    if (row === undefined) continue
    test(`${family}: ${one.name} becomes ${row.becomes}`, () => {
      holdRow(driver, bytesOf(family, one), row)
      if (row.becomes === 'values') holdEvidence(one.expect, row.values, names, reading)
    })
  }
}

/** The cases of a family; the second of a name is called `name (2)`. */
export function casesOf(family: string, files: readonly string[] = ['cases.json']): Case[] {
  const times = new Map<string, number>()
  return files
    .flatMap((file) => cases<Case>(`${family}/${file}`))
    .map((one) => {
      const time = (times.get(one.name) ?? 0) + 1
      times.set(one.name, time)
      return time === 1 ? one : { ...one, name: `${one.name} (${time})` }
    })
}

export function bytesOf(family: string, one: Case): Uint8Array {
  if (one.input_hex !== undefined) return new Uint8Array(Buffer.from(one.input_hex, 'hex'))
  if (one.input_file !== undefined) return capture(`${family}/${one.input_file}`)
  return new Uint8Array(Buffer.from([one.input_text ?? []].flat().join(''), 'latin1'))
}

export function holdRow(driver: Driver, bytes: Uint8Array, row: Becomes): void {
  const heard = hear(driver, bytes, row.options, row.unchecked && 'checksums')
  const said = sayings(heard)
  for (const { unchecked } of said) assert.equal(unchecked, row.unchecked)
  const doubted = Object.fromEntries(
    Object.entries(Object.groupBy(doubts(heard), (reason) => reason)).map(([reason, some]) => [
      reason,
      some?.length ?? 0,
    ]),
  )
  switch (row.becomes) {
    case 'values': {
      const [only] = said
      assert.equal(said.length, 1, JSON.stringify(doubted))
      assert.deepEqual(only?.values, row.values)
      if (row.subject !== undefined) assert.equal(only?.subject, row.subject)
      if (row.time !== undefined) assert.equal(only?.time, row.time)
      return
    }
    case 'readings':
      assert.equal(said.length, row.count, JSON.stringify(doubted))
      assert.deepEqual(said[0]?.values, row.first)
      assert.deepEqual(said.at(-1)?.values, row.last)
      assert.deepEqual(doubted, row.doubts ?? {})
      return
    case 'doubt':
      assert.deepEqual(said, [])
      assert.ok(row.doubt in doubted, JSON.stringify(doubted))
      return
    case 'out of scope':
      assert.ok(row.why.length > 0)
      assert.deepEqual(said, [])
  }
}

function holdEvidence(
  expect: Case['expect'],
  ours: Readonly<Record<string, Value>>,
  names: Names,
  { flat, near }: Partial<Reading> = {},
) {
  for (const [theirs, value] of Object.entries(flat?.(expect) ?? expect)) {
    const name = names[theirs]
    if (name === null) continue
    const [our, times] = name ?? assert.fail(`no name for ${theirs}`)
    const found = ours[our]
    if (typeof value === 'number') {
      const off = Math.abs(Number(found) - value * times)
      const most =
        near === undefined
          ? Math.max(0.051, Math.abs(value * times) * 1e-6)
          : near * Math.abs(value * times)
      assert.ok(off <= most, `${our}: ${found}, not ${value}`)
    } else assert.equal(found, value ?? undefined, our)
  }
}
