import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeskParts, openDeskWatch } from '../../runtime/watch/desk.ts'

const rpc = 'https://a.example'
const well: DeskParts = {
  operator: '0x01',
  gateway: '0x02',
  version: '0.1.0',
  broker: { url: 'mqtt://b', connected: true, troubles: [], takeovers: 0 },
  clockAstray: false,
  channels: { live: 3, withdrawing: 0, short: 0, unseen: 0, ended: 1 },
  claims: { onTheWay: 2, oldestS: 40 },
  unclaimed: { '0xdd': 12_345_678_901_234_567_890n },
  unclaimedOldestS: 3_600,
}

function deskOf(parts: Partial<DeskParts> = {}) {
  const watch = openDeskWatch([rpc, 'https://b.example'])
  return { ...watch, ...watch.views(() => ({ ...well, ...parts })) }
}

test('a desk that is well says so, with amounts as texts', async () => {
  const { ok, problems, unclaimed, endpoints } = await deskOf().health()
  assert.deepEqual([ok, problems], [true, []])
  assert.deepEqual(unclaimed, { '0xdd': '12345678901234567890' })
  assert.deepEqual(endpoints[0], { rpc, well: true, troubles: [] })
})

const wrongs: readonly [Partial<DeskParts>, RegExp][] = [
  [{ broker: { ...well.broker, connected: false } }, /^no line to mqtt:\/\/b: devices sell on/],
  [{ broker: { ...well.broker, certificateDays: 9 } }, /certificate .* ends in 9 days.*certFile/],
  [{ broker: { ...well.broker, certificateDays: -1 } }, /certificate .* has ended/],
  [{ clockAstray: true }, /clock is ahead of the chain/],
  [{ channels: { ...well.channels, withdrawing: 1 } }, /^1 channel whose payer withdraws/],
  [{ channels: { ...well.channels, short: 2 } }, /^2 channels with less in the contract/],
  [{ channels: { ...well.channels, unseen: 2 } }, /^2 channels that the chain was not read for/],
]
test('each wrong is told in a sentence', async () => {
  for (const [parts, sentence] of wrongs) {
    const { ok, problems } = await deskOf(parts).health()
    assert.equal(ok, false)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', sentence)
  }
})

test('an endpoint is in trouble from the first note of it until all of it is over', async () => {
  const { told, health, metrics } = deskOf()
  const failing = { event: 'endpoint failing', rpc, why: 'it lags', sinceMs: 5 }
  told({ ...failing, code: 'CHAIN_LAGS' } as never)
  told({ ...failing, code: 'CHAIN_UNREACHABLE', why: 'it is gone' } as never)
  told({ event: 'endpoint well', rpc, code: 'CHAIN_LAGS' } as never)
  const { problems, endpoints } = await health()
  assert.deepEqual(problems, ['it is gone'])
  const trouble = { code: 'CHAIN_UNREACHABLE', why: 'it is gone', sinceMs: 5 }
  assert.deepEqual(endpoints[0], { rpc, well: false, troubles: [trouble] })
  const { body } = await metrics()
  assert.match(body, /^wayside_endpoint_well\{rpc="https:\/\/a.example"\} 0$/m)
  assert.match(body, /^wayside_endpoint_well\{rpc="https:\/\/b.example"\} 1$/m)
  assert.match(body, /^wayside_endpoint_troubles_total\{rpc="[^"]+",code="CHAIN_LAGS"\} 1$/m)
  told({ event: 'endpoint well', rpc, code: 'CHAIN_UNREACHABLE' } as never)
  assert.equal((await health()).ok, true)
})

test('a claim that waits is a problem until one takes a step', async () => {
  const { told, health, metrics } = deskOf()
  told({ event: 'trouble', where: 'claim', why: 'gas is dear', code: 'GAS_DEAR' } as never)
  assert.deepEqual((await health()).problems, ['claims wait: gas is dear'])
  told({ event: 'trouble', where: 'chain', why: 'slow' } as never)
  told({ event: 'claiming' })
  assert.equal((await health()).ok, true)
  told({ event: 'claimed', gas: 81_000n } as never)
  told({ event: 'settled', token: '0xdd', amount: 500n } as never)
  told({ event: 'trouble', where: 'claim', why: 'failed', code: 'CLAIM_FAILED' } as never)
  assert.deepEqual((await health()).problems, ['claims wait: failed'])
  const { body } = await metrics()
  for (const line of [
    'wayside_gas_refusals_total 1',
    'wayside_claims_total{result="sent"} 1',
    'wayside_claims_total{result="claimed"} 1',
    'wayside_claims_total{result="failed"} 1',
    'wayside_claim_gas_total 81000',
    'wayside_settled_total{token="0xdd"} 500',
    'wayside_troubles_total{where="chain"} 1',
    'wayside_claims_waiting 2',
    'wayside_claims_oldest_seconds 40',
    'wayside_unclaimed_oldest_seconds 3600',
    'wayside_channels{state="live"} 3',
    'wayside_channels{state="ended"} 1',
    'wayside_broker_connected 1',
  ]) {
    assert.ok(body.includes(`\n${line}\n`), line)
  }
})

test('without a certificate of ours there is no end of it', async () => {
  const line = /^wayside_broker_certificate_days (.*)$/m
  assert.match(line.exec((await deskOf().metrics()).body)?.[1] ?? '', /^nan$/i)
  const { metrics } = deskOf({ broker: { ...well.broker, certificateDays: 20 } })
  assert.equal(line.exec((await metrics()).body)?.[1], '20')
})

test('a level that is there no more is shown no more', async () => {
  const watch = openDeskWatch([])
  let unclaimed: Record<string, bigint> = { '0xdd': 5n }
  const { metrics } = watch.views(() => ({ ...well, unclaimed }))
  assert.match((await metrics()).body, /^wayside_unclaimed\{token="0xdd"\} 5$/m)
  unclaimed = {}
  assert.doesNotMatch((await metrics()).body, /^wayside_unclaimed\{/m)
})

test('what fails at a topic is counted by its kind: sessions come and go', async () => {
  const { told, metrics } = deskOf()
  const device = `0x${'11'.repeat(20)}`
  for (const session of ['aa', 'bb', 'cc']) {
    const where = `wayside/1/${device}/buyer/${session.repeat(16)}/answer`
    told({ event: 'trouble', where, why: 'refused' } as never)
  }
  told({ event: 'trouble', where: 'chain', why: 'away' } as never)
  const { body } = await metrics()
  const rows = body.match(/^wayside_troubles_total\{.*$/gm)
  assert.deepEqual(rows, [
    'wayside_troubles_total{where="answer"} 3',
    'wayside_troubles_total{where="chain"} 1',
  ])
})
