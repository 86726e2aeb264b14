import { join } from 'node:path'
import { fault } from '../faults.ts'
import { tryLock } from './sqlite.ts'
import { makeFolder } from './write.ts'

export type FolderLock = { release(): Promise<void> }

/**
 * Takes a folder for this process alone; makes it when it is missing. The lock ends with the process,
 * however that ends, so nothing stale is ever in the way. Throws FOLDER_LOCKED.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await makeFolder(folder, 0o700)
  const lock = tryLock(join(folder, 'lock'))
  if (lock === undefined) throw fault('FOLDER_LOCKED', { folder })
  return { release: async () => lock.release() }
}
