/** Files and a whole device on a disk that fails with EIO. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { randomBytes } from '#crypto'
import { plantowerCapture } from '../../demo/sensors.ts'
import { openSecret } from '../../runtime/disk/secret.ts'
import { atomicWrite } from '../../runtime/disk/write.ts'
import { recordingHead, recordingLine } from '../../runtime/sense/recording.ts'
import { openGenerations } from '../../runtime/stream/generations.ts'
import type { Health } from '../../runtime/watch/health.ts'
import { bin } from '../commands/wayside.ts'
import { until } from '../sign/fixture.ts'
import { type BadDisk, noBadDisk, onBadDisk } from './baddisk.ts'

test('a file that the disk does not take leaves the old one, nothing beside it, and is written later', {
  skip: noBadDisk,
}, async () => {
  await onBadDisk(async (disk) => {
    const path = join(disk.folder, 'settings')
    for (const what of ['sync', 'write'] as const) {
      await atomicWrite(path, 'old')
      disk.fail(what)
      const said = writes(disk, `await atomicWrite('${path}', 'new')`)
      assert.match(said, /FILE_UNWRITTEN cannot write .*settings: EIO/)
      disk.mend()
      assert.equal(await readFile(path, 'utf8'), 'old')
      assert.deepEqual(await readdir(disk.folder), ['settings'])
      assert.equal(writes(disk, `await atomicWrite('${path}', 'new')`), 'written')
      assert.equal(await readFile(path, 'utf8'), 'new')
    }
  })
})

test('a file in new folders is on the disk with the name of each of them', {
  skip: noBadDisk,
}, async () => {
  await onBadDisk(async (disk) => {
    const path = join(disk.folder, 'deep', 'deeper', 'settings')
    assert.equal(writes(disk, `await atomicWrite('${path}', 'new')`), 'written')
    const synced = disk.synced()
    for (const folder of [
      disk.folder,
      join(disk.folder, 'deep'),
      join(disk.folder, 'deep', 'deeper'),
    ]) {
      assert.ok(synced.includes(folder), `${folder} is not on the disk`)
    }
  })
})

test('a secret whose destruction the disk interrupts is destroyed by the next start', {
  skip: noBadDisk,
}, async () => {
  await onBadDisk(async (disk) => {
    const [old, now] = [1, 2].map((at) => join(disk.folder, `generation-${at}.key`)) as [
      string,
      string,
    ]
    for (const path of [old, now]) await openSecret(path, randomBytes)
    disk.fail('sync')
    assert.match(writes(disk, `await eraseSecret('${old}')`), /FILE_UNWRITTEN .*EIO/)
    disk.mend()
    assert.match(await readFile(old, 'utf8'), /^-+$/)
    const generations = await openGenerations(disk.folder, { random: randomBytes })
    assert.deepEqual([generations.current, generations.has(1)], [2, false])
    assert.deepEqual(await readdir(disk.folder), ['generation-2.key'])
  })
})

test('the books of a buyer and of a desk end with a fault, and hold what they held', {
  skip: noBadDisk,
}, async () => {
  await onBadDisk(async (disk) => {
    const at = (name: string) => new URL(`../../runtime/${name}.ts`, import.meta.url)
    const ledger = `
      const { openLedger } = await import('${at('operator/ledger')}')
      const books = openLedger('${disk.folder}/gateway.sqlite')
      const save = (offerVersion) => books.save({ offerVersion })
      const kept = () => books.offerVersion()`
    const buyer = `
      const { openBooks } = await import('${at('buyer/books')}')
      const books = await openBooks('${disk.folder}/books')
      const stream = { device: '0x${'ab'.repeat(20)}', stream: 'air' }
      const save = (n) => books.bodies.put(stream, n, Uint8Array.of(n))
      const kept = () => books.bodies.held(stream).at(-1)[0]`
    for (const open of [ledger, buyer]) {
      // A commit that failed may be there all the same, for whoever opens the file again.
      for (const [round, what] of (['sync', 'write'] as const).entries()) {
        const number = 10 * round + 1
        disk.mend()
        const said = writes(
          disk,
          `${open}
          const { rmSync, writeFileSync } = await import('node:fs')
          save(${number})
          writeFileSync(process.env.BAD_FLAG, '${what}')
          try {
            save(${number + 1})
          } catch (cause) {
            console.log(cause.code, cause.exit, cause.message)
          }
          rmSync(process.env.BAD_FLAG)
          console.log('holds', kept())
          process.exit()`,
        )
        assert.match(said, /^STORE_FAILED 2 the store at .* stopped: disk I\/O error\n/)
        assert.ok(said.endsWith(`\nholds ${number}`), said)
      }
    }
  })
})

test('a device on a disk that fails says so with the cure, senses on, and goes on when it is well', {
  skip: noBadDisk,
}, async (t) => {
  await onBadDisk(async (disk) => {
    const device = await runOn(t, disk)
    const stored = async () => (await device.health()).totals.readings_stored.air ?? 0
    const heard = async () => (await device.health()).sensors[0]?.moments ?? 0
    await until(async () => (await stored()) > 5)
    disk.fail('sync')
    await until(async () => (await device.health()).store.failing)
    const told = await device.health()
    assert.match(await device.metrics(), /^wayside_store_refused 1$/m)
    assert.match(told.problems.join('\n'), /the disk fails: .*dmesg.*card, cable and power/)
    assert.match(device.words(), /"level":"warn".*SQLITE_IOERR_FSYNC.*"event":"disk failing"/)
    // It hears its sensor, and tells of no reading that is not kept.
    const before = await stored()
    const moments = await heard()
    await until(async () => (await heard()) > moments + 20)
    assert.equal(await stored(), before)
    disk.mend()
    await until(async () => !(await device.health()).store.failing)
    await until(async () => (await stored()) > before + 20)
    await until(() => device.words().includes('"event":"disk well"'))
    disk.fail('write')
    await until(async () => (await device.health()).store.failing)
    device.stop()
    assert.equal(await device.ended, 2)
    assert.match(device.words(), /dmesg.*\[DISK_FAILING\]/)
  })
})

/** What it says of a piece of work in a process that stands on that disk. */
function writes({ env }: BadDisk, work: string): string {
  const at = (name: string) => new URL(`../../runtime/disk/${name}.ts`, import.meta.url)
  const code = `
    import { atomicWrite } from '${at('write')}'
    import { eraseSecret } from '${at('secret')}'
    void [atomicWrite, eraseSecret]
    try {
      ${work}
      console.log('written')
    } catch (cause) {
      console.log(cause.code, cause.message)
    }`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  return stdout.trim() || stderr
}

/** `wayside run` on that disk, with one sensor that speaks by itself and no broker. */
async function runOn(t: TestContext, { folder, env }: BadDisk) {
  const config = await configFor(folder)
  const child = spawn(process.execPath, [bin, 'run', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let words = ''
  const url = Promise.withResolvers<string>()
  createInterface(child.stderr).on('line', (line) => {
    words += `${line}\n`
    const found = /"url":"(http[^"]*)"/.exec(line)?.[1]
    if (found !== undefined) url.resolve(found)
  })
  void ended.then(() => url.reject(new Error(words)))
  const at = await url.promise
  return {
    health: async () => (await (await fetch(`${at}/health`)).json()) as Health,
    metrics: async () => (await fetch(`${at}/metrics`)).text(),
    words: () => words,
    stop: () => void child.kill('SIGTERM'),
    ended,
  }
}

/** A sensor that is played beside the disk, 25 frames a second, and a broker that is not there. */
async function configFor(folder: string): Promise<string> {
  const home = join(folder, '..')
  const { bursts } = await plantowerCapture('air')
  const lines = Array.from({ length: 1_000 }, (_, i) =>
    recordingLine({ ms: 40 * i, bytes: bursts[0] ?? new Uint8Array(0) }),
  )
  const recording = join(home, 'air.recording')
  await writeFile(recording, [recordingHead('air', 9600), ...lines].join(''))
  const config = join(home, 'wayside.json')
  const address = `0x${'ab'.repeat(20)}`
  const port = `recording:${recording}`
  const plantower = { driver: 'plantower', options: { variant: 'pms5003t' } }
  const settings = {
    ...{ folder, operator: address, gateway: address, receiver: address },
    broker: { url: 'mqtt://127.0.0.1:9' },
    sensors: [{ ...plantower, name: 'air', port, price: 'free' }],
    commit: { delay: '100ms' },
    watch: { port: 0 },
  }
  await writeFile(config, JSON.stringify(settings))
  return config
}
