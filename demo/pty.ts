/** A pseudo-terminal as a USB adapter would be: raw, silent, and there whether or not somebody reads. */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import * as nodePty from '@lydell/node-pty'

export type PtyLine = {
  /** What to open. */
  readonly path: string
  /** Bytes that were written and not yet read. */
  waiting(): number
  write(bytes: Uint8Array): void
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
  return {
    path: pty._pty,
    waiting: () => pty.master.writableLength,
    write: (bytes) => void pty.master.write(Buffer.from(bytes)),
    onData: (take) => void pty.master.on('data', take),
    async close() {
      // Never destroy or kill the pty itself: its process id is -1, and that is everybody.
      pty.master.destroy()
      await held.close()
    },
  }
}

/** What `open` returns; the package's types leave it out. */
type Pty = {
  readonly _pty: string
  readonly master: NodeJS.ReadWriteStream & { destroy(): void; readonly writableLength: number }
  readonly slave: { destroy(): void }
}

const { open: openPty } = nodePty as unknown as { open(options: { encoding: null }): Pty }
