import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plantower } from '../../drivers/plantower.ts'
import { line } from '../../runtime/commands/decode.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('decode prints one JSON object a frame, and what was refused when asked', () => {
  const log = 'test/captures/nmea0183/pygpsdata-mixed.log'
  const { stdout, status, stderr } = wayside(['decode', 'nmea0183', log, '--doubts'])
  assert.equal(status, 0)
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row))
  assert.equal(rows.length, 15)
  assert.equal(rows[0].driver, 'nmea0183')
  assert.equal(rows[0].values.lat, 53.450592833)
  assert.equal(rows[0].units.alt, 'm')
  assert.match(stderr, /15 decoded, 0 doubted, 556 bytes skipped/)
})

test('decode reads standard input, hex too, and ends with 1 when nothing was decoded', () => {
  const frame = `42 4d 00 14 ${'00 '.repeat(16)}00 51 00 f4\n`
  const good = wayside(['decode', 'pms3003', '--hex', '--json'], frame)
  assert.equal(good.status, 0)
  assert.deepEqual(JSON.parse(good.stdout).values.pm2_5, 0)
  const bad = wayside(['decode', 'pms3003', '--hex', '--doubts'], frame.replace('f4', 'f5'))
  assert.equal(bad.status, 1)
  assert.deepEqual(JSON.parse(bad.stdout), {
    driver: 'plantower',
    offset: 0,
    doubt: 'bad checksum',
  })
})

test('decode ends with 2 for a wrong driver, option or file', () => {
  for (const args of [
    ['decode', 'plantowr'],
    ['decode', 'plantower', '--option', 'variant=x'],
    ['decode', 'plantower', '/no/such/file'],
  ]) {
    const { status, stderr } = wayside(args)
    assert.equal(status, 2, args.join(' '))
    assert.match(stderr, /DRIVER_|INPUT_/)
  }
})

test('counters past 2^53 are printed as exact literals', () => {
  const said = { ok: true, values: { total: 18_446_744_073_709_551_615n } } as const
  assert.match(line(plantower, { offset: 0, said }), /"total":18446744073709551615/)
})

test('drivers lists them, shows one in full, and speaks JSON', () => {
  assert.match(wayside(['drivers']).stdout, /nmea0183/)
  assert.match(wayside(['drivers', 'pms5003']).stdout, /over0_3um/)
  const [plantowers] = JSON.parse(wayside(['drivers', 'plantower', '--json']).stdout)
  assert.equal(plantowers.fields.pm2_5.unit, 'ug/m3')
})

/** These commands alone, so that the test needs nothing of the others. */
const program = `
  import { Command } from 'commander'
  import { decodeCommand } from './runtime/commands/decode.ts'
  import { driversCommand } from './runtime/commands/drivers.ts'
  const program = new Command('wayside')
  decodeCommand(program)
  driversCommand(program)
  await program.parseAsync(process.argv.slice(1), { from: 'user' }).catch((error) => {
    console.error(error.code)
    process.exitCode = error.exit
  })`

function wayside(args: readonly string[], input = '') {
  const flags = ['--input-type=module', '-e', program, '--', ...args]
  return spawnSync(process.execPath, flags, { cwd: root, input, encoding: 'utf8' })
}
