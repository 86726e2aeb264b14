/** The file of `wayside buy --out`: every reading once, whatever cuts it off, and what is missing is told. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { appendFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Resumed } from '../../runtime/buyer/index.ts'
import { type SinkOptions, sinkOf } from '../../runtime/commands/buysink.ts'
import { behind } from '../../runtime/commands/buytell.ts'
import { type BadDisk, noBadDisk, onBadDisk } from '../disk/baddisk.ts'
import { openStreet, type Street } from './street.ts'
import { openTown } from './town.ts'

const wayside = fileURLToPath(new URL('../../bin/wayside.js', import.meta.url))

type Bought = Awaited<ReturnType<Street['buy']>>

/** Any of a number, by a seed that is printed. */
function chance(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Buys into the file, and dies without a word after so many readings; gives the bytes that were safe. */
async function buyAndDie(
  street: Street,
  out: SinkOptions,
  count: number,
  roll: (n: number) => number,
) {
  const path = out.out as string
  const buyer = await street.buy({ resume: true })
  const sink = await sinkOf(out, {
    listings: buyer.listings,
    isIdle: () => roll(5) === 0,
    ends: () => {},
  })
  let safe = statSync(path).size
  let items = 0
  for await (const item of buyer.readings({ byHand: true })) {
    const taken = () => {
      safe = statSync(path).size
      item.taken()
    }
    await sink.write({ ...item, taken })
    items += 1
    if (items === count) break
  }
  await buyer.close()
  return { safe, size: statSync(path).size }
}

for (const format of ['ndjson', 'csv'] as const) {
  test(`${format}: killed anywhere, its last lines torn, lost or turned to zeros, the file has every reading once`, async (t) => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
    t.diagnostic(`SEED=${seed}`)
    const roll = chance(seed)
    const street = await openStreet(t)
    const out = { format, out: join(street.folder, 'out', `air.${format}`), resume: true }
    await mkdir(join(street.folder, 'out'))
    // The very first line of all was torn.
    await writeFile(out.out, format === 'csv' ? 'device,str' : '{"device":"0x12')
    for (let round = 0; round < 6; round += 1) {
      const { safe, size } = await buyAndDie(street, out, 5 + roll(40), roll)
      await truncate(out.out, safe + roll(size - safe + 1))
      if (roll(3) === 0) await appendFile(out.out, new Uint8Array(1 + roll(5_000)))
      if (roll(4) === 0) await appendFile(out.out, '{"device":"0x')
    }
    const buyer = await street.buy({ resume: true })
    await writeOut(buyer, out, 20)
    const values = valuesIn(format, await readFile(out.out, 'utf8'))
    assert.ok(values.length > 30)
    assert.deepEqual(
      values,
      values.map((_, i) => (values[0] ?? 0) + i),
    )
    assert.equal(street.devices[0]?.counts().delivered, buyer.summary().money?.promisedTotal)
  })
}

function valuesIn(format: 'ndjson' | 'csv', text: string): number[] {
  const lines = text.split(/\r?\n/)
  assert.equal(lines.pop(), '')
  if (format === 'csv') assert.match(lines.shift() ?? '', /^device,.*pm2_5$/)
  return lines.map((line) =>
    Number(format === 'csv' ? line.split(',').at(-1) : JSON.parse(line).values.pm2_5),
  )
}

test('a file of something else is left alone, and one that lost what it held is told, with the way to have it back', async (t) => {
  const street = await openStreet(t)
  const path = join(street.folder, 'air.ndjson')
  const out = { format: 'ndjson', out: path } as const
  await writeFile(path, 'dear diary\n')
  const parts = { listings: [], isIdle: () => true, ends: () => {} }
  await assert.rejects(sinkOf(out, parts), ({ code }: { code?: string }) => code === 'OUT_FOREIGN')
  assert.equal(await readFile(path, 'utf8'), 'dear diary\n')
  await rm(path)
  const other = join(street.folder, 'other.csv')
  const columns = 'device,stream,subject,generation,epoch,index,time,boot,monotonic_ms,co2\r\n'
  for (const text of [columns, `${columns}0x${'ab'.repeat(20)},air,,1,2,3,,00,1,400\r\n`]) {
    await writeFile(other, text)
    const csv = { format: 'csv', out: other } as const
    await assert.rejects(
      sinkOf(csv, parts),
      ({ code }: { code?: string }) => code === 'OUT_FOREIGN',
    )
    assert.equal(await readFile(other, 'utf8'), text)
  }

  await writeOut(await street.buy(), out, 40)
  const before = valuesIn('ndjson', await readFile(path, 'utf8'))
  await rm(path)
  const resumed = await street.buy({ resume: true })
  const said: string[] = []
  await writeOut(resumed, { ...out, resume: true }, 10, (last) => {
    said.push(...behind(path, resumed.resumed, last))
  })
  const [, from, to] = /has nothing of .*--from '#(\d+)' --to '#(\d+)'/.exec(said.join()) ?? []
  const again = { ...out, out: join(street.folder, 'again.ndjson') }
  const range = { from: { number: Number(from) }, to: { number: Number(to) } }
  const third = await street.buy({ range })
  await writeOut(third, again, Number.POSITIVE_INFINITY)
  const had = new Set(valuesIn('ndjson', await readFile(again.out, 'utf8')))
  assert.deepEqual(
    before.slice(0, 35).filter((value) => !had.has(value)),
    [],
  )
  // What stands there ends with the books: nothing to tell.
  const last = new Map(resumed.resumed.map((one) => [`${one.device}/${one.stream}`, placeOf(one)]))
  assert.deepEqual(behind(path, resumed.resumed, last), [])
})

const placeOf = ({ number, ...one }: Resumed) => ({ ...one, epoch: number, index: 0 })

type Ends = Parameters<typeof sinkOf>[1]['ends']

/** Buys so many readings into the file, and ends in order. */
async function writeOut(buyer: Bought, out: SinkOptions, count: number, ends: Ends = () => {}) {
  const { listings, waiting } = buyer
  const sink = await sinkOf(out, { listings, isIdle: () => waiting() === 0, ends })
  let items = 0
  for await (const item of buyer.readings({ byHand: true })) {
    await sink.write(item)
    items += 1
    if (items === count) break
  }
  await sink.close()
  await buyer.close()
}

test('on a disk that fails and a machine that loses its power the file and the books agree again', {
  skip: noBadDisk,
}, async (t) => {
  await onBadDisk(async (disk) => {
    const { base, street } = await openTown(t, join(disk.folder, 'books'))
    const out = join(disk.folder, 'air.ndjson')
    const args = [...base, '--resume', '--out', out]
    for (const what of ['sync'] as const) {
      const before = linesIn(out)
      const failed = await run(args, {
        disk,
        until: () => linesIn(out) > before + 20,
        act: () => disk.fail(what),
      })
      assert.ok(failed.code === 2, `${failed.code} ${failed.stderr}`)
      assert.match(failed.stderr, /STORE_FAILED|FILE_UNWRITTEN/)
      disk.cutPower()
      disk.mend()
    }
    const before = linesIn(out)
    await run(args, {
      disk,
      until: () => linesIn(out) > before + 20,
      act: (child) => child.kill('SIGKILL'),
    })
    disk.cutPower()
    const last = await run([...args, '--count', '20'], { disk })
    assert.equal(last.code, 0, last.stderr)
    const values = valuesIn('ndjson', await readFile(out, 'utf8'))
    assert.ok(values.length >= 20)
    assert.deepEqual(
      values,
      values.map((_, i) => (values[0] ?? 0) + i),
    )
    assert.ok((street.devices[0]?.counts().delivered ?? 0n) > 0n)
  })
})

function linesIn(path: string): number {
  try {
    return readFileSync(path, 'utf8').split('\n').length
  } catch {
    return 0
  }
}

type Running = {
  readonly disk?: BadDisk
  readonly until?: () => boolean
  readonly act?: (child: ReturnType<typeof spawn>) => void
}

async function run(args: readonly string[], { disk, until, act }: Running = {}) {
  const child = spawn(execPath, [wayside, ...args], { env: { ...process.env, ...disk?.env } })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const closed = once(child, 'close')
  // One that hangs must say what it said so far.
  const late = setTimeout(() => child.kill('SIGKILL'), 180_000)
  while (until !== undefined && child.exitCode === null && !until()) await sleep(20)
  act?.(child)
  const [code] = await closed
  clearTimeout(late)
  return { code, stdout, stderr }
}
