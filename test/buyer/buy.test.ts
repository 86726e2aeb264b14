/** The command, as a process of its own, against devices on a real broker. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openTown } from './town.ts'

const wayside = fileURLToPath(new URL('../../bin/wayside.js', import.meta.url))

/** Runs the command; `until` may end it with Ctrl-C by what it has printed. */
async function run(args: readonly string[], until?: (stdout: string) => boolean) {
  const child = spawn(execPath, [wayside, ...args])
  let [stdout, stderr] = ['', '']
  let stopped = false
  child.stdout.on('data', (data) => {
    stdout += data
    if (!stopped && until?.(stdout)) stopped = child.kill('SIGINT')
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const [code] = await once(child, 'close')
  return { code, stderr, lines: stdout.split('\n').filter((line) => line !== '') }
}

test('NDJSON names its epoch on every line, Ctrl-C ends in order, and --resume goes on behind', async (t) => {
  const { street, base } = await openTown(t)
  const evidence = join(street.folder, 'evidence')
  const json = join(street.folder, 'summary.json')
  const enough = (stdout: string) => stdout.split('\n').length > 25
  const first = await run([...base, '--evidence', evidence, '--json', json], enough)
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stderr, /epochs seen, .* opened and verified · \d+ readings · promised/)
  const summary = JSON.parse(await readFile(json, 'utf8'))
  assert.equal(summary.ok, true)
  assert.equal(summary.money.promised, summary.money.price)
  assert.equal(summary.counts.readings, first.lines.length)

  const second = await run([...base, '--resume', '--count', '20'])
  assert.equal(second.code, 0, second.stderr)
  assert.equal(second.lines.length, 20)
  const rows = [...first.lines, ...second.lines].map((line) => JSON.parse(line))
  const values = rows.map(({ values }) => values.pm2_5)
  assert.deepEqual(
    values,
    values.map((_, i) => values[0] + i),
  )
  assert.ok(
    rows.every(({ epoch, index, generation }) => epoch > 0 && index >= 0 && generation === 1),
  )

  const [file] = await readdir(evidence)
  const verified = await run(['verify', '--json', join(evidence, file as string)])
  assert.equal(verified.code, 0)
  assert.equal(JSON.parse(verified.lines[0] as string).device, street.devices[0]?.device)
})

test('CSV has its header once, and one row a reading', async (t) => {
  const { base } = await openTown(t)
  const { code, lines, stderr } = await run([...base, '--format', 'csv', '--count', '5'])
  assert.equal(code, 0, stderr)
  assert.equal(
    lines[0],
    'device,stream,subject,generation,epoch,index,time,boot,monotonic_ms,pm2_5\r',
  )
  assert.equal(lines.length, 6)
})

test('no broker is exit 3, a mistake in the command is exit 2, each with a sentence', async (t) => {
  const { base } = await openTown(t)
  const nowhere = base.map((arg) => (arg.startsWith('mqtt:') ? 'mqtt://127.0.0.1:9' : arg))
  const [unreachable, wrong, vain] = await Promise.all([
    run([...nowhere, '--folder', join(base[6] as string, 'other')]),
    run([...base, '--count', 'many']),
    run([...base.slice(0, -1), 'lots']),
  ])
  assert.deepEqual([unreachable.code, wrong.code, vain.code], [3, 2, 2])
  assert.match(unreachable.stderr, /BROKER_UNREACHABLE/)
  assert.match(vain.stderr, /the budget lots is not an amount/)
})
