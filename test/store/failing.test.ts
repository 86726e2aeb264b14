/** A disk that fails with EIO: nothing is called kept that is not, and what was is there after a power cut. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { randomBytes } from '#crypto'
import { openDeviceKey } from '../../runtime/sign/key.ts'
import { openStore } from '../../runtime/store/client.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { type BadDisk, noBadDisk, onBadDisk } from '../disk/baddisk.ts'
import { type Device, testClock, until } from '../sign/fixture.ts'
import { sense, verifyAll } from './history.ts'

for (const what of ['sync', 'write'] as const) {
  test(`a disk that fails to ${what} is told, costs no reading that was kept, and is used again when it takes it`, {
    skip: noBadDisk,
  }, async (t) => {
    await onBadDisk(async (disk) => {
      const life = senseOn(t, disk)
      await until(() => life.kept() > 60)
      disk.fail(what)
      await until(() => life.heard(({ event }) => event === 'disk failing'))
      const kept = life.kept()
      const refused = life.refused()
      await until(() => life.refused() > refused + 20)
      assert.equal(life.kept(), kept, 'nothing is told of that is not kept')
      const looks = life.looks()
      await until(() => life.looks() > looks + 2)
      assert.equal(life.ails(), 'failing')
      disk.mend()
      await until(() => life.heard(({ event }) => event === 'disk well'))
      await until(() => life.kept() > kept + 60)
      assert.equal(life.ails(), 'nothing')
      assert.ok(!life.heard(({ event }) => event === 'disk full' || event === 'evicted'))
      await life.kill()
      disk.cutPower()
      await holds(disk, life.kept())
    })
  })
}

test('what a sync that failed may have lost is written anew, after every one of many', {
  skip: noBadDisk,
}, async (t) => {
  await onBadDisk(async (disk) => {
    const life = senseOn(t, disk)
    for (let i = 0; i < 12; i += 1) {
      const kept = life.kept()
      await until(() => life.kept() > kept + 10)
      disk.fail('sync')
      await sleep(10 * i)
      disk.mend()
    }
    const kept = life.kept()
    await until(() => life.kept() > kept + 10)
    await life.kill()
    disk.cutPower()
    await holds(disk, life.kept())
  })
})

test('a start trusts nothing that only memory holds of the life before', {
  skip: noBadDisk,
}, async (t) => {
  await onBadDisk(async (disk) => {
    const first = senseOn(t, disk)
    await until(() => first.kept() > 60)
    disk.fail('sync')
    await until(() => first.heard(({ event }) => event === 'disk failing'))
    await first.kill()
    disk.mend()
    const second = senseOn(t, disk)
    await until(() => second.kept() > 60)
    await second.kill()
    disk.cutPower()
    await holds(disk, first.kept() + second.kept())
  })
})

test('a device that is stopped on a disk that fails says which, and does not start on one', {
  skip: noBadDisk,
}, async (t) => {
  await onBadDisk(async (disk) => {
    const life = senseOn(t, disk)
    await until(() => life.kept() > 60)
    disk.fail('sync', 'write')
    await until(() => life.heard(({ event }) => event === 'disk failing'))
    life.stop()
    await until(() => life.heard(({ ended }) => ended === 'DISK_FAILING'))
    await life.ended
    const again = senseOn(t, disk)
    assert.notEqual(await again.ended, 0)
    assert.match(again.words(), /STORE_UNREADABLE/)
    disk.mend()
    disk.cutPower()
    await holds(disk, life.kept())
  })
})

/** The device goes on there, and each reading that was told of is in an epoch that verifies. */
async function holds(disk: BadDisk, kept: number): Promise<void> {
  const { folder } = disk
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(folder, { random: randomBytes })
  const store = await openStore({ path: join(folder, 'store.db') })
  const device: Device = {
    ...{ folder, key, generations, store, clock: testClock() },
    epochs: async () => [],
  }
  try {
    await sense(device, ['air'], 1)
    const rows = await store.headersSince(0, 1_000_000)
    const stored = rows.reduce((sum, { stream, count }) => sum + (stream === 'air' ? count : 0), 0)
    // A commit that failed may be there all the same: it was told of to nobody.
    assert.ok(stored >= kept + 3, `${stored} of ${kept} + 3`)
    assert.ok(stored <= kept + 3 + 200, `${stored} of ${kept} + 3`)
    assert.equal((await verifyAll(device, 'air')).gone, 0)
  } finally {
    await store.close()
  }
}

type Said = Readonly<Record<string, unknown>>

/** One life of `sensing.ts` on that disk. */
function senseOn(t: TestContext, { folder, env }: BadDisk) {
  const script = fileURLToPath(new URL('sensing.ts', import.meta.url))
  const child = spawn(process.execPath, [script, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const said: Said[] = []
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    words += text
  })
  const last = new Map<string, unknown>()
  let looks = 0
  createInterface(child.stdout).on('line', (line) => {
    const one = JSON.parse(line) as Said
    if ('looked' in one) looks += 1
    if ('event' in one || 'ended' in one) said.push(one)
    for (const [name, value] of Object.entries(one)) last.set(name, value)
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    kept: () => Number(last.get('kept') ?? 0),
    refused: () => Number(last.get('refused') ?? 0),
    ails: () => last.get('ails'),
    looks: () => looks,
    heard: (fits: (one: Said) => boolean) => said.some(fits),
    words: () => words,
    stop: () => void child.kill('SIGTERM'),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    ended,
  }
}
