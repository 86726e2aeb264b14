/** The plug is pulled in mid-epoch: at twenty random moments, and at every place where it would hurt. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { sealInterrupted } from '../../runtime/sign/recover.ts'
import { concat, equal } from '../../runtime/wire/bytes.ts'
import { headerHash } from '../../runtime/wire/header.ts'
import { inFolder } from '../disk/folder.ts'
import { chance } from '../journeys/chance.ts'
import { boot, makerOf, openDevice, plan, readingAt, run, until, withDevice } from './fixture.ts'

const child = new URL('./crash.ts', import.meta.url).pathname

/** What an outside witness was told, over all runs. */
type Witness = { readonly kept: number[]; readonly sealed: Map<string, string>; next: number }

/** One run of the device until it dies; `killAfterMs` counts from its start. */
async function runUntilDead(
  folder: string,
  witness: Witness,
  { failpoints = '', killAfterMs }: { failpoints?: string; killAfterMs?: number },
): Promise<void> {
  const args = [child, folder, failpoints, String(witness.next)]
  const device = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  let timer: NodeJS.Timeout | undefined
  device.stdout.setEncoding('utf8').on('data', (part: string) => {
    if (text === '' && killAfterMs !== undefined) {
      timer = setTimeout(() => device.kill('SIGKILL'), killAfterMs)
    }
    text += part
  })
  const signal = await new Promise((resolve) => device.on('close', (_, by) => resolve(by)))
  clearTimeout(timer)
  assert.equal(signal, 'SIGKILL', `it ended by itself: ${text}`)
  for (const line of text.split('\n').slice(0, -1)) {
    const [word, ...rest] = line.split(' ')
    if (word === 'kept') witness.kept.push(...rest.map(Number))
    if (word === 'sealed') {
      const [stream, number, kind = ''] = rest
      assert.ok(!witness.sealed.has(`${stream} ${number}`), `${line}: twice`)
      witness.sealed.set(`${stream} ${number}`, kind)
    }
  }
  witness.next += 1_000_000
}

/** Opens the folder as the next start would, and holds it against what was told. */
async function check(folder: string, witness: Witness): Promise<{ interrupted: number }> {
  const stop = new AbortController()
  stop.abort()
  const device = await openDevice(folder)
  await makerOf(device, { streams: [plan()] }).start(stop.signal)
  try {
    const epochs = await device.epochs('air')
    const kept = new Set(
      epochs.flatMap(({ readings }) => readings.map(({ values }) => Number(values.pm2_5))),
    )
    for (const value of witness.kept) assert.ok(kept.has(value), `${value} was told of and lost`)
    let previous = new Uint8Array(32)
    for (const [i, { message }] of epochs.entries()) {
      assert.equal(message.header.number, i + 1)
      assert.ok(equal(message.header.previous, previous), `epoch ${i + 1} breaks the chain`)
      assert.equal(message.signer, device.key.signingKey)
      previous = new Uint8Array(headerHash(message.headerBytes))
      const told = witness.sealed.get(`air ${i + 1}`)
      assert.ok(told === undefined || told === message.header.kind, 'a number with other content')
    }
    const told = [...witness.sealed.keys()].filter((name) => name.startsWith('air '))
    assert.ok(told.length <= epochs.length, 'a sealed epoch was told of and lost')
    return {
      interrupted: epochs.filter(({ message }) => message.header.kind === 'interrupted').length,
    }
  } finally {
    await device.store.close()
  }
}

test('killed twenty times in mid-epoch, it loses nothing that it told of', async (t) => {
  await inFolder(async (folder) => {
    const witness: Witness = { kept: [], sealed: new Map(), next: 0 }
    const dice = chance(process.env.KILL_SEED)
    t.diagnostic(`KILL_SEED=${dice.seed}`)
    // On a busy machine a run may end before it told of anything: more of them, then.
    for (let i = 0; i < 20 || witness.kept.length <= 100; i += 1) {
      await runUntilDead(folder, witness, { killAfterMs: 30 + dice.below(200) })
    }
    const { interrupted } = await check(folder, witness)
    t.diagnostic(`${witness.kept.length} readings told of, ${interrupted} epochs interrupted`)
    assert.ok(interrupted > 0, 'the kills hit open epochs')
  })
})

const places = [
  'sign.commit:1',
  'sign.commit:4',
  'commit.before:3',
  'commit.inside:2',
  'commit.inside:6',
  'commit.after:2',
  'commit.after:7',
]
for (const failpoints of places) {
  test(`killed at ${failpoints}, it loses nothing that it told of`, async () => {
    await inFolder(async (folder) => {
      const witness: Witness = { kept: [], sealed: new Map(), next: 0 }
      await runUntilDead(folder, witness, { failpoints })
      await check(folder, witness)
    })
  })
}

test('waiting readings that are not those of their signed head are never sealed', async () => {
  await withDevice(async (device) => {
    const { key, generations } = device
    const { batches } = await run(device, { streams: [plan()] }, async (maker) => {
      for (let i = 0; i < 3; i += 1) maker.take(readingAt(device.clock, i))
      await until(async () => (await device.store.counts()).waiting > 0)
    })
    const [gain] = batches.flatMap(({ gains }) => gains)
    assert.ok(gain !== undefined)
    const { open, packs } = gain
    const leaf = generations.leafKey(open.stream, open.generation, open.number)
    const seal = (waiting: Uint8Array) =>
      sealInterrupted(key, { open: { ...open, packs: waiting }, leaf, boot, random: randomBytes })
    assert.equal(seal(packs).kind, 'interrupted')
    const bent = packs.with(-1, (packs.at(-1) ?? 0) ^ 1)
    for (const other of [bent, concat(packs, packs), new Uint8Array(0), packs.slice(0, -1)]) {
      assert.throws(() => seal(other), { code: 'STORE_DAMAGED' })
    }
  })
})

test('killed while it seals what the last crash cut short, it seals it the next time', async () => {
  await inFolder(async (folder) => {
    const witness: Witness = { kept: [], sealed: new Map(), next: 0 }
    await runUntilDead(folder, witness, { killAfterMs: 120 })
    await runUntilDead(folder, witness, { failpoints: 'commit.inside:1' })
    await runUntilDead(folder, witness, { failpoints: 'commit.after:1' })
    await check(folder, witness)
  })
})
