/** `wayside config check` on what only the disk shows, and whose paths begin where. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../runtime/commands/config.ts'
import { render } from '../../runtime/commands/operateinit.ts'
import { wayside } from './wayside.ts'

const folder = mkdtempSync(join(tmpdir(), 'wayside-check-'))
after(() => rmSync(folder, { recursive: true }))
const owner = `"0x${'11'.repeat(20)}"`
const token = `0x${'22'.repeat(20)}`

function written(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** A device's config with this line to its broker. */
function device(line: string): string {
  const text = `folder: data
broker: { url: "mqtts://127.0.0.1", ${line} }
operator: ${owner}
gateway: ${owner}
receiver: ${owner}
`
  return written('wayside.yaml', text)
}

/** The config of a desk as init writes it. */
function desk(): string {
  const rpc = ['https://a.example', 'https://b.example']
  const broker = 'mqtt://127.0.0.1'
  return render({ folder: 'desk', broker, rpc, chain: '1', token, receiver: token })
}

test('files of the line that are not there, are for all to read or do not serve are told with their line', () => {
  written('open', 'secret', 0o644)
  written('no.pem', 'hello')
  for (const [line, what, hint] of [
    [
      'username: a, passwordFile: nowhere',
      /^broker\.passwordFile: cannot read .*nowhere/,
      /check the path/,
    ],
    [
      'username: a, passwordFile: open',
      /^broker\.passwordFile: .*open can be read by other/,
      /chmod 600/,
    ],
    ['caFile: nowhere.pem', /^broker\.caFile: cannot read .*nowhere\.pem/, /check the path/],
    ['caFile: no.pem', /^broker\.caFile: .*no\.pem does not serve for TLS/, /whole PEM/],
  ] as const) {
    const { status, stdout } = wayside(['config', 'check', '--json', device(line)])
    const { ok, problems } = JSON.parse(stdout)
    assert.deepEqual([status, ok, problems.length, problems[0].line], [2, false, 1, 2], line)
    assert.match(problems[0].what, what)
    assert.match(problems[0].hint, hint)
  }
  written('secret', 'hush')
  const fine = wayside(['config', 'check', device('username: a, passwordFile: secret')])
  assert.equal(fine.status, 0, fine.stderr)
})

test('a device is the same one from wherever its config is named', () => {
  written('secret', 'hush')
  const config = loadConfig(device('username: a, passwordFile: secret'))
  assert.equal(config.folder, join(folder, 'data'))
  assert.equal(config.broker.passwordFile, join(folder, 'secret'))
})

test('of a desk every mistake is told too, in its text and in its keys', () => {
  mkdirSync(join(folder, 'desk'))
  const text = desk().replace('gasShare: 0.05', 'gasShare: 5\n  often: yes')
  const wrong = wayside(['config', 'check', written('wrong.yaml', text)])
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /settle\.gasShare: 5 is over its limit/)
  assert.match(wrong.stderr, /settle\.often: there is no such setting/)
  written('desk/operator.key', `0x${'01'.repeat(32)}`, 0o640)
  const keys = wayside(['config', 'check', written('operate.yaml', desk())])
  assert.equal(keys.status, 2)
  assert.match(keys.stderr, /operate\.yaml:\d+:\d+: keys\.operator: .*can be read by other/)
  assert.match(keys.stderr, /operate\.yaml:\d+:\d+: keys\.gateway: .*gateway\.key/)
  chmodSync(join(folder, 'desk/operator.key'), 0o600)
  written('desk/gateway.key', `0x${'02'.repeat(32)}`)
  assert.equal(wayside(['config', 'check', join(folder, 'operate.yaml')]).status, 0)
})

test('whoever writes the access list of a desk makes no key in its folder', () => {
  const { status, stdout } = wayside(['acl', '-c', join(folder, 'operate.yaml')])
  assert.equal(status, 0)
  assert.match(stdout, /^# Access list for mosquitto/)
  assert.equal(existsSync(join(folder, 'desk/hpke.key')), false)
})

test('editors get the schema of both configs', () => {
  for (const [flags, setting] of [
    [[], 'sensors'],
    [['--desk'], 'settle'],
  ] as const) {
    const { status, stdout } = wayside(['config', 'schema', ...flags])
    assert.equal(status, 0)
    const { properties } = JSON.parse(stdout) as { properties: Record<string, unknown> }
    assert.ok(Object.hasOwn(properties, setting), setting)
  }
})

test('a file in the place of a port is told from a recording that stands in for one', () => {
  written('air.recording', '0 42\n')
  const sensors = 'sensors: [{ name: air, driver: sds011, port: air.recording }]'
  const config = written(
    'wayside.yaml',
    `${readFileSync(device('version: auto'), 'utf8').replace('mqtts', 'mqtt')}${sensors}\n`,
  )
  const { status, stderr } = wayside(['config', 'check', config])
  assert.equal(status, 2)
  assert.match(stderr, /air\.recording is a file, not a port/)
  assert.match(stderr, /`recording:air\.recording`/)
})
