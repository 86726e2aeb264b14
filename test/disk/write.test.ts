import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { openSecret, readSecret } from '../../runtime/disk/secret.ts'
import { atomicWrite, mustBeWritable, readIfThere } from '../../runtime/disk/write.ts'
import { text } from '../../runtime/wire/bytes.ts'
import { inFolder } from './folder.ts'

/** Writes `data` in a process that dies at the failpoint. */
async function writeAndDie(path: string, data: string, failpoint: string): Promise<void> {
  const code = `
    import { armFailpoints } from '${new URL('../../runtime/disk/failpoint.ts', import.meta.url)}'
    import { atomicWrite } from '${new URL('../../runtime/disk/write.ts', import.meta.url)}'
    armFailpoints('${failpoint}')
    await atomicWrite('${path}', '${data}')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)))
  assert.equal(signal, 'SIGKILL')
}

test('a file is written whole, with its permissions, and the folder made for it', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'deep', 'config.json')
    await atomicWrite(path, 'one')
    await atomicWrite(path, 'two', { mode: 0o600 })
    assert.equal(await readFile(path, 'utf8'), 'two')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(join(folder, 'deep')), ['config.json'])
  })
})

test('a crash before the rename leaves the old file, one behind it the new; never a part', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'state')
    await atomicWrite(path, 'old')
    await writeAndDie(path, 'new', 'write.beside')
    assert.equal(await readFile(path, 'utf8'), 'old')
    await writeAndDie(path, 'new', 'write.renamed')
    assert.equal(await readFile(path, 'utf8'), 'new')
    await atomicWrite(path, 'newest')
    assert.deepEqual(await readdir(folder), ['state'], 'what the crash left beside it is gone')
  })
})

test('what a crash left beside a secret does not lend it its permissions', async () => {
  await inFolder(async (folder) => {
    await writeFile(join(folder, '.device.key.new'), 'left', { mode: 0o666 })
    await atomicWrite(join(folder, 'device.key'), 'secret', { mode: 0o600 })
    assert.equal((await stat(join(folder, 'device.key'))).mode & 0o777, 0o600)
  })
})

test('a write that fails says so and leaves the old file', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'state')
    await atomicWrite(path, 'old')
    // The place beside it is taken by a folder, as a full disk would refuse it.
    await mkdir(join(folder, '.state.new'))
    await assert.rejects(atomicWrite(path, 'new'))
    assert.equal(await readFile(path, 'utf8'), 'old')
    await rm(join(folder, '.state.new'), { recursive: true })
    await atomicWrite(path, 'later')
    assert.equal(await readFile(path, 'utf8'), 'later')
  })
})

test('of many writes at once the last one asked stays', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'state')
    const writes = Array.from({ length: 20 }, (_, i) => atomicWrite(path, `version ${i}`))
    await Promise.all(writes)
    assert.equal(await readFile(path, 'utf8'), 'version 19')
  })
})

test('a file that is not there is undefined, one that can not be read is an error', async () => {
  await inFolder(async (folder) => {
    assert.equal(await readIfThere(join(folder, 'nothing')), undefined)
    await assert.rejects(readIfThere(folder))
    await atomicWrite(join(folder, 'some'), Uint8Array.of(1, 2))
    assert.deepEqual(await readIfThere(join(folder, 'some')), Uint8Array.of(1, 2))
  })
})

test('a secret is made once, kept for its owner alone, and never quoted in an error', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'device.key')
    const made = await openSecret(path, randomBytes)
    assert.deepEqual(await openSecret(path, randomBytes), made)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    await rm(path)
    await writeFile(path, 'hunter2', { mode: 0o600 })
    await assert.rejects(readSecret(path), (error: Error & { code: string }) => {
      assert.equal(error.code, 'KEY_UNREADABLE')
      assert.ok(!`${error.stack} ${String(error.cause)}`.includes('hunter2'))
      return true
    })
  })
})

test('a secret that others may read is refused', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'device.key')
    await writeFile(path, `0x${'11'.repeat(32)}\n`)
    await assert.rejects(readSecret(path), { code: 'KEY_EXPOSED' })
    assert.equal(text((await readIfThere(path)) ?? new Uint8Array(0)).length, 67)
  })
})

test('where no file can be written is said before there is anything to write', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'a file')
    await mustBeWritable(join(folder, 'new', 'summary.json'))
    assert.deepEqual(await readdir(join(folder, 'new')), [])
    await writeFile(file, 'kept')
    await mustBeWritable(file)
    assert.equal(await readFile(file, 'utf8'), 'kept')
    for (const path of [join(file, 'summary.json'), folder]) {
      await assert.rejects(mustBeWritable(path), { code: 'FILE_UNWRITTEN' })
    }
  })
})
