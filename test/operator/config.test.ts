import assert from 'node:assert/strict'
import { test } from 'node:test'
import { render } from '../../runtime/commands/operateinit.ts'
import { readYaml } from '../../runtime/config/yamlfile.ts'
import { operatorSchema, policyOf, railsOf, registerOf } from '../../runtime/operator/config.ts'
import { device, operator, token } from './fixture.ts'

const written = render({
  folder: './data',
  broker: 'mqtt://127.0.0.1:1883',
  rpc: ['https://a.example', 'https://b.example'],
  chain: '8453',
  token,
  receiver: device(1),
})

test('what init writes is a config, with every default in place', () => {
  const read = readYaml(operatorSchema, written)
  assert.ok(read.ok, JSON.stringify(read))
  const { withdrawDelayMin, look, ack, settle } = read.value
  assert.deepEqual([withdrawDelayMin, look, ack], [7 * 86_400_000, 30_000, 600_000])
  assert.deepEqual(settle, { schedule: '0 3 * * *', gasShare: 0.05 })
  assert.equal(railsOf(read.value)[0]?.chainId, 8453)
  const policy = policyOf(read.value)
  assert.deepEqual([policy.gasPermille, policy.perCoin(token)], [50n, 3_000_000_000n])
  assert.equal(policy.perCoin(device(9)), 0n, 'gas is not weighed against a token without a price')
})

test('a device is a bare address, or names the key that speaks for it', () => {
  const devices = `devices:\n  - "${device(1)}"\n  - { device: "${device(2)}", signingKey: "${device(3)}", version: 2 }`
  const read = readYaml(operatorSchema, written.replace('devices: []', devices))
  assert.ok(read.ok, JSON.stringify(read))
  const register = registerOf(read.value, operator.address)
  assert.deepEqual(register.get(device(1)), {
    device: device(1),
    signingKey: device(1),
    version: 1,
  })
  assert.equal(register.get(device(2))?.signingKey, device(3))
  assert.deepEqual(register.named(operator.address), [device(1), device(2)])
  assert.deepEqual(register.named(device(2)), [device(2)])
  assert.deepEqual(register.named(device(3)), [], 'a stranger is nobody of ours')
})

const mistakes = [
  ['schedule: "0 3 * * *"', 'schedule: daily', /settle\.schedule: not a cron line/, /five fields/],
  [
    'rpcs: ["https://a.example"',
    'rpcs: ["https://…"',
    /chain\.rpcs\.0: not an endpoint/,
    /JSON-RPC/,
  ],
  [token, `0x${'0'.repeat(40)}`, /tokens\.0\.address: the zero address/, /token that buyers pay/],
  ['perCoin: 3000', 'perCoin: 0.0000001', /tokens\.0\.perCoin: finer/, /round/],
  [
    'devices: []',
    `devices: ["${device(1)}", "${device(1)}"]`,
    /devices\.1: .* stands twice/,
    /one/,
  ],
  ['gasShare: 0.05', 'gasShare: 5', /settle\.gasShare/, /./],
  [
    'confirmations: 3',
    'confirmations: 3\n  confirm: 1',
    /confirm: there is no such setting/,
    /confirmations/,
  ],
] as const

for (const [right, wrong, what, hint] of mistakes) {
  test(`a mistake is named with its place and its cure: ${what.source}`, () => {
    const text = written.replace(right, wrong)
    const read = readYaml(operatorSchema, text)
    assert.ok(!read.ok, 'taken')
    const [problem] = read.problems
    assert.match(problem?.what ?? '', what)
    assert.match(problem?.hint ?? '', hint)
    const at = text.split('\n').findIndex((line) => line.includes(wrong.split('\n').at(-1) ?? ''))
    assert.equal(problem?.line, at + 1)
  })
}
