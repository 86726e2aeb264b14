/** A disk of a few MiB, which can be filled: a tmpfs, where this machine lets us mount one. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type SmallDisk = {
  readonly folder: string
  /** Another program takes what is left, but for so many bytes. */
  fill(leaveBytes?: number): void
  /** And gives it back. */
  release(): void
}

/** Why there can be none here; false when there can. */
export const noSmallDisk: string | false = whyNot()

export async function onSmallDisk(
  bytes: number,
  work: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
  if (mounted.status !== 0) throw new Error(String(mounted.stderr))
  const ballast = join(folder, 'ballast')
  try {
    await work({
      folder,
      fill(leaveBytes = 0) {
        const file = openSync(ballast, 'w')
        const page = new Uint8Array(4096)
        let written = 0
        try {
          for (;;) written += writeSync(file, page)
        } catch (cause) {
          if ((cause as { code?: string }).code !== 'ENOSPC') throw cause
        }
        ftruncateSync(file, Math.max(0, written - leaveBytes))
        closeSync(file)
      },
      release: () => rmSync(ballast, { force: true }),
    })
  } finally {
    spawnSync('umount', ['-l', folder])
    await rm(folder, { recursive: true, force: true })
  }
}

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'no tmpfs: only root may mount one'
  const folder = mkdtempSync(join(tmpdir(), 'wayside-disk-'))
  try {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
    if (status !== 0) return 'no tmpfs: this machine does not let us mount one'
    spawnSync('umount', ['-l', folder])
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
