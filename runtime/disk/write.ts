/**
 * The one way to write a file: whole or not at all, whatever is unplugged when. The bytes go to a file
 * beside it, to the disk, then into place by a rename, and the folder goes to the disk too: a rename
 * alone can be lost (zigbee2mqtt#11759), and a write in place can end in an empty file.
 */
import { constants } from 'node:fs'
import { access, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Fault, fault } from '../faults.ts'
import { failpoint } from './failpoint.ts'

export type WriteOptions = {
  /** Permission bits; 0o600 for secrets. Default 0o644. */
  readonly mode?: number
}

/**
 * Writes `data` to `path` and returns when it is on the disk. Makes missing folders. Writes of one path
 * happen one after the other, so that the last one asked is the one that stays. Throws FILE_UNWRITTEN, with
 * the old file in its place or, when only the folder's own sync failed, the new one.
 */
export async function atomicWrite(
  path: string,
  data: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  const target = resolve(path)
  const before = writing.get(target) ?? Promise.resolve()
  const mine = before.catch(() => {}).then(() => replace(target, data, options.mode ?? 0o644))
  writing.set(target, mine)
  try {
    await mine
  } catch (cause) {
    throw unwritten(target, cause)
  } finally {
    if (writing.get(target) === mine) writing.delete(target)
  }
}

/**
 * Throws FILE_UNWRITTEN where no file can be written, and makes missing folders: to be asked before the
 * hours of work of which the file will tell.
 */
export async function mustBeWritable(path: string): Promise<void> {
  const target = resolve(path)
  try {
    await makeFolder(dirname(target))
    await access(dirname(target), constants.W_OK)
    const there = await stat(target).catch(() => undefined)
    if (there?.isDirectory()) throw new Error('it is a folder')
  } catch (cause) {
    throw unwritten(target, cause)
  }
}

/** Makes the folder, and those above it, where they are missing; returns when that is on the disk. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode })
  if (first === undefined) return
  // The name of each stands in the one above.
  const top = resolve(first)
  for (let made = resolve(path); made.length >= top.length; made = dirname(made)) {
    await syncFolder(dirname(made))
  }
}

/** The bytes of the file, or undefined when there is none. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    const buffer = await readFile(path)
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

/** Removes the file, if it is there; returns when that is on the disk. Throws FILE_UNWRITTEN. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
    await syncFolder(dirname(resolve(path)))
  } catch (cause) {
    throw unwritten(path, cause)
  }
}

/** The fault of a write that the system refused. */
export function unwritten(path: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause
  return fault('FILE_UNWRITTEN', { path, why: (cause as Error).message }, cause)
}

/** What is being written now, by path. */
const writing = new Map<string, Promise<void>>()

async function replace(target: string, data: Uint8Array | string, mode: number): Promise<void> {
  const folder = dirname(target)
  await makeFolder(folder)
  // One name a target: what a crash left behind is overwritten by the next write.
  const beside = join(folder, `.${basename(target)}.new`)
  try {
    await writeWhole(beside, data, mode)
  } catch (cause) {
    // What a full disk cut short must not fill it further.
    await rm(beside, { force: true }).catch(() => {})
    throw cause
  }
  failpoint('write.beside')
  await rename(beside, target)
  failpoint('write.renamed')
  await syncFolder(folder)
}

async function writeWhole(path: string, data: Uint8Array | string, mode: number): Promise<void> {
  const file = await open(path, 'w', mode)
  try {
    // An older left-over keeps its own permissions when it is opened.
    await file.chmod(mode)
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Returns when the names in the folder are on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
