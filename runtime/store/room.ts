import { statSync } from 'node:fs'
import { type Database, freeOn } from '../disk/sqlite.ts'

/** Bytes of the database and of the disk under it. */
export type Room = {
  /** Used within the file; what was deleted is used again before the file grows. */
  readonly usedBytes: number
  readonly fileBytes: number
  /** Unused within the file. */
  readonly spareBytes: number
  /** Free on the disk for this user. */
  readonly diskBytes: number
}

export function roomOf(db: Database, path: string): Room {
  const pragma = (name: string) => db.pragma(name, { simple: true }) as number
  const pageBytes = pragma('page_size')
  const pages = pragma('page_count')
  const free = pragma('freelist_count')
  return {
    usedBytes: (pages - free) * pageBytes,
    fileBytes: pages * pageBytes,
    spareBytes: free * pageBytes,
    diskBytes: freeOn(path),
  }
}

export function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
