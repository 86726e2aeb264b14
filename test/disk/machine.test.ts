import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { bindMachine, machineName, rebindMachine } from '../../runtime/disk/machine.ts'

async function folderOf(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-machine-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

test('a folder belongs to the machine of its first start, and to no other', async (t) => {
  const folder = await folderOf(t)
  await bindMachine(folder, 'board 1', randomBytes)
  await bindMachine(folder, 'board 1', randomBytes)
  await assert.rejects(bindMachine(folder, 'board 2', randomBytes), { code: 'MACHINE_OTHER' })
  await assert.rejects(bindMachine(folder, 'board 2', randomBytes), { code: 'MACHINE_OTHER' })
})

test('a folder that was moved on purpose belongs to its new machine, and no more to the old one', async (t) => {
  const folder = await folderOf(t)
  await bindMachine(folder, 'board 1', randomBytes)
  await rebindMachine(folder, 'board 2', randomBytes)
  await bindMachine(folder, 'board 2', randomBytes)
  await assert.rejects(bindMachine(folder, 'board 1', randomBytes), { code: 'MACHINE_OTHER' })
})

test('the number of the board stands nowhere, and two folders of one board do not show that', async (t) => {
  const [one, other] = [await folderOf(t), await folderOf(t)]
  await bindMachine(one, 'serial 10000000abcdef', randomBytes)
  await bindMachine(other, 'serial 10000000abcdef', randomBytes)
  const notes = await Promise.all([one, other].map((folder) => readFile(join(folder, 'machine'))))
  assert.doesNotMatch(String(notes), /abcdef|serial/)
  assert.notDeepEqual(notes[0], notes[1])
})

test('a machine without a name is held to nothing, and a spoilt note is written anew', async (t) => {
  const folder = await folderOf(t)
  await bindMachine(folder, undefined, randomBytes)
  await writeFile(join(folder, 'machine'), 'spoilt')
  await bindMachine(folder, 'board 1', randomBytes)
  await bindMachine(folder, undefined, randomBytes)
  await assert.rejects(bindMachine(folder, 'board 2', randomBytes), { code: 'MACHINE_OTHER' })
})

test('`any` names no machine', () => {
  assert.equal(machineName('any'), undefined)
})
