import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { lockFolder } from '../../runtime/disk/lock.ts'
import { inFolder } from './folder.ts'

const lockFile = new URL('../../runtime/disk/lock.ts', import.meta.url)

test('a folder belongs to one at a time, in one process too', async () => {
  await inFolder(async (folder) => {
    const lock = await lockFolder(folder)
    await assert.rejects(lockFolder(folder), { code: 'FOLDER_LOCKED', exit: 2 })
    await lock.release()
    await (await lockFolder(folder)).release()
  })
})

test('the lock of a process that was killed is free at once', async () => {
  await inFolder(async (folder) => {
    const code = `
      import { lockFolder } from '${lockFile}'
      await lockFolder('${folder}')
      console.log('locked')
      setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    await assert.rejects(lockFolder(folder), { code: 'FOLDER_LOCKED' })
    holder.kill('SIGKILL')
    await new Promise((resolve) => holder.on('close', resolve))
    await (await lockFolder(folder)).release()
  })
})
