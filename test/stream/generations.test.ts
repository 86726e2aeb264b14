import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { leafKey } from '../../runtime/wire/keytree.ts'
import { inFolder } from '../disk/folder.ts'

test('the first start makes generation 1, the next ones find it', async () => {
  await inFolder(async (folder) => {
    const first = await openGenerations(folder, { random: randomBytes })
    assert.equal(first.current, 1)
    assert.deepEqual(await readdir(folder), ['generation-1.key'])
    assert.equal((await stat(join(folder, 'generation-1.key'))).mode & 0o777, 0o600)
    const again = await openGenerations(folder, { random: randomBytes })
    assert.equal(again.current, 1)
    assert.deepEqual(again.leafKey('air', 1, 7), first.leafKey('air', 1, 7))
  })
})

test('a new generation has keys of its own, and the old ones still open', async () => {
  await inFolder(async (folder) => {
    const old = await openGenerations(folder, { random: randomBytes })
    const renewed = await openGenerations(folder, { random: randomBytes, renew: true })
    assert.equal(renewed.current, 2)
    assert.notDeepEqual(renewed.leafKey('air', 2, 7), old.leafKey('air', 1, 7))
    assert.deepEqual(renewed.leafKey('air', 1, 7), old.leafKey('air', 1, 7))
  })
})

test('a cover opens its range and nothing beside it, and agrees with the epoch keys', async () => {
  await inFolder(async (folder) => {
    const generations = await openGenerations(folder, { random: randomBytes })
    const nodes = generations.cover('air', 1, 250, 600)
    for (const number of [250, 255, 256, 511, 512, 600]) {
      assert.deepEqual(leafKey(nodes, number), generations.leafKey('air', 1, number))
    }
    for (const number of [0, 249, 601, 0xffff_ffff]) {
      assert.equal(leafKey(nodes, number), undefined)
    }
    assert.notDeepEqual(generations.leafKey('air', 1, 300), generations.leafKey('wind', 1, 300))
  })
})

test('what was derived of a generation goes with it', async () => {
  await inFolder(async (folder) => {
    await openGenerations(folder, { random: randomBytes })
    const generations = await openGenerations(folder, { random: randomBytes, renew: true })
    const before = generations.cover('air', 1, 250, 600)
    assert.deepEqual(generations.cover('air', 1, 250, 600), before)
    assert.notDeepEqual(generations.cover('air', 2, 250, 600), before)
    await generations.destroy(1)
    assert.throws(() => generations.cover('air', 1, 250, 600), { code: 'GENERATION_MISSING' })
  })
})

test('the generation that epochs are made under is never destroyed', async () => {
  await inFolder(async (folder) => {
    const generations = await openGenerations(folder, { random: randomBytes })
    await assert.rejects(generations.destroy(1), RangeError)
    assert.deepEqual(await readdir(folder), ['generation-1.key'])
    assert.ok(generations.leafKey('air', 1, 7))
  })
})

test('a destroyed generation is a fault, not another key', async () => {
  await inFolder(async (folder) => {
    const generations = await openGenerations(folder, { random: randomBytes })
    assert.throws(() => generations.leafKey('air', 9, 1), { code: 'GENERATION_MISSING' })
    assert.throws(() => generations.cover('air', 9, 1, 2), { code: 'GENERATION_MISSING' })
  })
})
