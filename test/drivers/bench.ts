/** What the tests of drivers share: a driver at work on bytes alone. */
import { readFileSync } from 'node:fs'
import { decoder, type Heard } from '../../runtime/sense/decoder.ts'
import type { Driver, Saying } from '../../runtime/sense/driver.ts'
import { readOptions } from '../../runtime/sense/options.ts'

export function hear(
  driver: Driver,
  bytes: Uint8Array | string,
  options: Record<string, unknown> = {},
  overlook?: 'checksums',
): Heard[] {
  const read = readOptions(driver, options)
  const work = decoder(driver.under?.(read) ?? driver, read, overlook)
  const raw = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
  return [...work.push(raw), ...work.finish()]
}

export function sayings(heard: readonly Heard[]): Saying[] {
  return heard.flatMap(({ said }) => (said.ok ? [said] : []))
}

export function doubts(heard: readonly Heard[]): string[] {
  return heard.flatMap(({ said }) => (said.ok ? [] : [said.doubt]))
}

export function capture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../captures/${path}`, import.meta.url)))
}

export function cases<T>(path: string): T[] {
  return JSON.parse(new TextDecoder().decode(capture(path)))
}

/** An NMEA sentence with its checksum and line end. */
export function sentence(body: string): string {
  const sum = [...body].reduce((xor, letter) => xor ^ letter.charCodeAt(0), 0)
  return `$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}\r\n`
}
