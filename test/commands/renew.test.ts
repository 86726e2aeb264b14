/** `wayside renew` as a person meets it. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { lockFolder } from '../../runtime/disk/lock.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { wayside } from './wayside.ts'

test('another generation of keys is begun for a device that has run and is stopped, and for no other', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'wayside-renew-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const folder = join(home, 'data')
  const generations = join(folder, 'generations')
  const address = `"0x${'ab'.repeat(20)}"`
  const config = join(home, 'wayside.yaml')
  const broker = 'broker: { url: "mqtt://127.0.0.1:1" }\n'
  const people = `operator: ${address}\ngateway: ${address}\nreceiver: ${address}\n`
  await writeFile(config, `folder: ${folder}\n${broker}${people}`)

  const early = wayside(['renew', config])
  assert.equal(early.status, 1, early.stderr)
  assert.match(early.stdout, /no device has run in .*first start makes/)

  await mkdir(folder)
  const first = await openGenerations(generations, { random: randomBytes })
  const lock = await lockFolder(folder)
  const running = wayside(['renew', config])
  await lock.release()
  assert.equal(running.status, 2)
  assert.match(running.stderr, /FOLDER_LOCKED/)
  assert.equal((await readdir(generations)).length, 1)

  const done = wayside(['renew', config])
  assert.deepEqual(
    [done.status, done.stdout],
    [0, 'generation 2 begins with the next start\n'],
    done.stderr,
  )
  const next = await openGenerations(generations, { random: randomBytes })
  assert.equal(next.current, 2)
  assert.deepEqual(next.leafKey('air', 1, 7), first.leafKey('air', 1, 7))
  assert.notDeepEqual(next.leafKey('air', 2, 7), first.leafKey('air', 1, 7))
})
