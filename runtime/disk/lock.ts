import { join } from 'node:path'
import { fault } from '../faults.ts'
import { tryLock } from './sqlite.ts'
import { makeFolder, unwritten } from './write.ts'

export type FolderLock = { release(): Promise<void> }

/**
 * Takes a folder for this process alone; makes it when it is missing. The lock ends with the process,
 * however that ends, so nothing stale is ever in the way. Throws FOLDER_LOCKED, and FILE_UNWRITTEN where
 * the folder or its lock cannot be made.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'lock')
  await makeFolder(folder, 0o700).catch((cause) => {
    throw unwritten(folder, cause)
  })
  const lock = lockAt(path)
  if (lock === undefined) throw fault('FOLDER_LOCKED', { folder })
  return { release: async () => lock.release() }
}

function lockAt(path: string) {
  try {
    return tryLock(path)
  } catch (cause) {
    throw unwritten(path, cause)
  }
}
