/**
 * A disk that fails: a process under it gets EIO from writes and syncs in one folder, whenever we say so.
 * Made by a small library that is compiled for the test and put before the C library.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { lacks } from '../sense/live.ts'

export type BadDisk = {
  readonly folder: string
  /** What a process needs to stand on it. */
  readonly env: Readonly<Record<string, string>>
  /** From now on it refuses these; and then it takes all. */
  fail(...what: readonly ('write' | 'sync')[]): void
  mend(): void
  /** The files and folders whose sync went well, in their order. */
  synced(): readonly string[]
  /**
   * When nobody works on it: leaves of the files what a power cut would have left. A write is on the disk
   * once a sync behind it went well; after one that failed it is on the disk never, however many go well.
   */
  cutPower(): void
}

/** Why there can be none here; false when there can. */
export const noBadDisk: string | false = whyNot()

export async function onBadDisk(work: (disk: BadDisk) => Promise<void>): Promise<void> {
  const ground = await realpath(await mkdtemp(join(tmpdir(), 'wayside-bad-')))
  const [library, flag, journal] = ['bad.so', 'flag', 'journal'].map((name) =>
    join(ground, name),
  ) as [string, string, string]
  const folder = await mkdtemp(join(ground, 'disk-'))
  try {
    await promisify(execFile)('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
    await work({
      folder,
      env: { LD_PRELOAD: library, BAD_FOLDER: folder, BAD_FLAG: flag, BAD_JOURNAL: journal },
      fail: (...what) => writeFileSync(flag, what.join(' ')),
      mend: () => rmSync(flag, { force: true }),
      synced: () =>
        [...readFileSync(journal, 'utf8').matchAll(/^S (.*)$/gm)].map(([, path = '']) => path),
      cutPower: () => forget(readFileSync(journal, 'utf8')),
    })
  } finally {
    await rm(ground, { recursive: true, force: true })
  }
}

const source = fileURLToPath(new URL('baddisk.c', import.meta.url))

function whyNot(): string | false {
  return process.platform === 'linux' ? lacks('gcc') : 'no disk that fails: only on Linux'
}

/** Overwrites with noise what never came to rest. */
function forget(journal: string): void {
  const files = new Map<string, Uint8Array>()
  const pending = new Map<string, (readonly [number, number])[]>()
  for (const line of journal.split('\n')) {
    const [, what, numbers = '', path = ''] = /^([WSFT])((?: \d+)*) (\/.*)$/.exec(line) ?? []
    if (what === undefined) continue
    const [at = 0, length = 0] = numbers.trim().split(' ').map(Number)
    const states = files.get(path) ?? new Uint8Array(0)
    const waiting = pending.get(path) ?? []
    if (what === 'T') files.set(path, states.slice(0, at))
    else if (what === 'W') {
      files.set(path, grown(states, at + length).fill(underWay, at, at + length))
      pending.set(path, [...waiting, [at, at + length]])
    } else {
      const to = what === 'S' ? rests : gone
      for (const [from, end] of waiting) states.fill(to, from, end)
      pending.delete(path)
    }
  }
  for (const [path, states] of files) if (existsSync(path)) spoil(path, states)
}

/** Where each byte of a file is: on the disk, on its way, or gone for good though memory has it. */
const [rests, underWay, gone] = [0, 1, 2]

function grown(states: Uint8Array, length: number): Uint8Array {
  if (length <= states.length) return states
  const more = new Uint8Array(length)
  more.set(states)
  return more
}

function spoil(path: string, states: Uint8Array): void {
  const bytes = readFileSync(path)
  for (const [at, state] of states.entries())
    if (state !== rests && at < bytes.length) bytes[at] = 0xdb
  writeFileSync(path, bytes)
}
