/** A pseudo-terminal as a USB adapter would be: raw, silent, and there whether or not somebody reads. */
import { execFile } from 'node:child_process'
import { constants, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import * as nodePty from '@lydell/node-pty'

export type PtyLine = {
  /** What to open. */
  readonly path: string
  /** False where so much is unread that not all of it finds room: then the rest is lost, as on a real line. */
  write(bytes: Uint8Array): boolean
  /** What whoever opened the path writes to it. */
  onData(take: (chunk: Uint8Array) => void): void
  close(): Promise<void>
}

export async function openLine(): Promise<PtyLine> {
  const pty = openPty({ encoding: null })
  pty.master.on('error', () => {})
  // The other end is held open so that the line outlives a reader, but by nothing that reads: that would
  // steal its bytes.
  const held = await open(pty._pty, constants.O_RDWR | constants.O_NOCTTY)
  pty.slave.destroy()
  // No echo and no line discipline, before the first byte.
  await promisify(execFile)('stty', ['-F', pty._pty, 'raw', '-echo'])
  let isOpen = true
  return {
    path: pty._pty,
    // A closed number may be somebody else's file by now.
    write: (bytes) => isOpen && accepts(pty._fd, bytes),
    onData: (take) => void pty.master.on('data', take),
    async close() {
      // Never destroy or kill the pty itself: its process id is -1, and that is everybody.
      isOpen = false
      pty.master.destroy()
      await held.close()
    },
  }
}

/** Past the stream: that waits for a reader in a loop, and nothing else of the process would run meanwhile. */
function accepts(master: number, bytes: Uint8Array): boolean {
  try {
    return writeSync(master, bytes) === bytes.length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
    throw error
  }
}

/** What `open` returns; the package's types leave it out. */
type Pty = {
  readonly _pty: string
  readonly _fd: number
  readonly master: NodeJS.ReadWriteStream & { destroy(): void }
  readonly slave: { destroy(): void }
}

const { open: openPty } = nodePty as unknown as { open(options: { encoding: null }): Pty }
