/** atomicWrite on a disk that is full. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { atomicWrite } from '../../runtime/disk/write.ts'
import { noSmallDisk, onSmallDisk } from './smalldisk.ts'

test('a write that finds no room leaves the old file whole, and nothing beside it', {
  skip: noSmallDisk,
}, async () => {
  await onSmallDisk(1 << 20, async (disk) => {
    const path = join(disk.folder, 'settings')
    await atomicWrite(path, 'old')
    disk.fill(8192)
    await assert.rejects(atomicWrite(path, new Uint8Array(100_000)), {
      code: 'FILE_UNWRITTEN',
      message: /ENOSPC/,
    })
    assert.equal(await readFile(path, 'utf8'), 'old')
    assert.deepEqual((await readdir(disk.folder)).sort(), ['ballast', 'settings'])
    disk.release()
    await atomicWrite(path, 'new')
    assert.equal(await readFile(path, 'utf8'), 'new')
  })
})
