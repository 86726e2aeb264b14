/** The plug is pulled while the device forgets; and a generation of which nothing is left loses its secret. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { keeper } from '../../runtime/stream/keep.ts'
import { inFolder } from '../disk/folder.ts'
import { makerOf, openDevice, plan, until, withDevice } from '../sign/fixture.ts'
import { publish, sense, verifyAll } from './history.ts'

const child = new URL('./forget.ts', import.meta.url).pathname

/** One run of the device until it dies: what it told. */
async function runUntilDead(
  folder: string,
  failpoints: string,
  killAfter?: string,
): Promise<string[]> {
  const args = [child, folder, failpoints]
  const device = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  device.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (killAfter !== undefined && text.includes(killAfter)) device.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => device.on('close', (_, by) => resolve(by)))
  assert.equal(signal, 'SIGKILL', `it ended by itself: ${text}`)
  return text.split('\n').slice(0, -1)
}

/** Opens the folder as the next start would; every number of both chains is accounted for. */
async function check(folder: string, told: readonly string[]): Promise<number> {
  const device = await openDevice(folder)
  const stop = new AbortController()
  stop.abort()
  await makerOf(device, { streams: [plan()] }).start(stop.signal)
  let gone = 0
  for (const stream of ['air', 'gnss']) {
    const shown = await verifyAll(device, stream)
    gone += shown.gone
    const newest = told.findLast((line) => line.startsWith(`sealed ${stream} `)) ?? ''
    assert.ok(
      shown.last >= Number(newest.split(' ')[2] ?? 0),
      'a sealed epoch was told of and lost',
    )
  }
  await device.store.close()
  return gone
}

test('killed while it forgets, every number stays accounted for', async () => {
  for (const failpoints of ['evict.inside:2', 'evict.inside:5']) {
    await inFolder(async (folder) => {
      assert.ok((await check(folder, await runUntilDead(folder, failpoints))) > 0)
    })
  }
})

test('killed before or behind a commit while it forgets, every number stays accounted for', async () => {
  await inFolder(async (folder) => {
    await check(folder, await runUntilDead(folder, '', 'evicted'))
    for (const failpoints of ['commit.inside:3', 'commit.after:20', 'sign.commit:21']) {
      assert.ok((await check(folder, await runUntilDead(folder, failpoints))) > 0)
    }
  })
})

test('a generation of which nothing is left loses its secret; what still opens keeps its own', async () => {
  await withDevice(async (first) => {
    await sense(first, ['air'], 40)
    await publish(first)
    const renewed = await openGenerations(first.folder, { random: randomBytes, renew: true })
    const device = { ...first, generations: renewed }
    await sense(device, ['air'], 1)
    assert.deepEqual(await device.store.emptyGenerations(), [])
    const notes: string[] = []
    await sense(device, ['air'], 60, async (maker) => {
      await publish(device)
      const stop = new AbortController()
      const keep = keeper({
        ...{ store: device.store, generations: renewed, evict: maker.evict },
        rule: { bytesMax: (await device.store.counts()).usedBytes * 0.65, freeMin: 0, ageMs: null },
        everyMs: 5,
        paceMs: 1,
        note: (note) => notes.push(note.event),
      })
      const done = keep.start(stop.signal)
      await until(() => notes.includes('erased'))
      stop.abort()
      await done
    })
    assert.deepEqual(
      (await readdir(first.folder)).filter((name) => name.startsWith('generation')),
      ['generation-2.key'],
    )
    assert.throws(() => renewed.cover('air', 1, 1, 2), { code: 'GENERATION_MISSING' })
    const [air] = await device.store.shelf()
    assert.deepEqual(
      air?.generations.map(({ generation }) => generation),
      [2],
    )
    await verifyAll(device, 'air')
    const again = await openGenerations(first.folder, { random: randomBytes })
    assert.equal(again.current, 2)
  })
})
