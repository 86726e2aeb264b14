/** Whole sales, device and buyer and all, on a chain that is not as one would like it. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { canonical } from '../../contracts/artifacts.ts'
import { call, plainToken } from '../../demo/chain.ts'
import { readKeyFile } from '../../runtime/disk/keyfile.ts'
import { type Chain, openChain } from '../../runtime/link/chain.ts'
import { settlementCall } from '../../runtime/link/contract.ts'
import { openLedger } from '../../runtime/operator/ledger.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { openProxy, saying } from '../link/proxy.ts'
import type { Running } from './process.ts'
import type { Stall } from './stall.ts'
import { moneyless, openStreet, purse, type Street, until } from './street.ts'

describe('a sale', { skip: moneyless, timeout: 280_000 }, () => {
  it('in a token without signed authorizations goes through Permit2, and is settled to the unit', async (t) => {
    const rail = {
      ...{ chainId: 31_337, settlement: canonical.settlement, collector: canonical.collector },
      ...{ permit2Collector: canonical.permit2Collector, token: plainToken },
      ...{ tokenName: 'Wayside Plain Dollar', tokenVersion: '1', decimals: 6 },
    }
    const street = await openStreet(t, { settings: { rails: [rail] } })
    const { chain, people } = street
    await chain.mint(people.buyer.address, purse, plainToken)
    await changeDesk(street, (desk) => ({
      ...desk,
      chain: { ...desk.chain, permit2Collector: canonical.permit2Collector },
      tokens: [{ address: plainToken, name: rail.tokenName, version: '1' }],
    }))
    const stall = await opened(street)
    const operator = await street.operate()
    const buyer = buying(street, stall)
    await buyer.heard(10)
    buyer.signal('SIGINT')
    assert.equal(await buyer.ended, 0, buyer.words())
    assert.match(buyer.words(), /deposited .* in transaction 0x\w+, Permit2 allowed in 0x\w+/)
    await until(async () => (await stall.sale()).acknowledged > 0n, 'it is acknowledged')
    operator.signal('SIGTERM')
    assert.equal(await operator.ended, 0, operator.words())
    const reader = await readerOf(street)
    t.after(async () => reader.close())
    const got = await reader.balanceOf(plainToken, people.receiver.address)
    assert.equal(got, await promisedBy(street))
    const rest = await reader.balanceOf(plainToken, people.buyer.address)
    const held = await reader.balanceOf(plainToken, chain.settlement)
    assert.equal(rest + held + got, purse)
  })

  it('whose payer withdraws ends at the device too, and everybody has what is theirs', async (t) => {
    const street = await openStreet(t)
    const { chain, people } = street
    const stall = await opened(street)
    const operator = await street.operate()
    const buyer = buying(street, stall)
    await buyer.heard(10)
    const payer = await readerOf(street, true)
    t.after(async () => payer.close())
    const [channel] = desk(street)
    assert.ok(channel)
    await payer.initiateWithdraw(channel.config, channel.balance)
    await operator.says(({ event, why }) => event === 'ended' && why === 'withdrawal')
    await until(
      async () => Object.keys(await stall.refusals()).includes('grant-taken-back'),
      'the device refuses',
    )
    buyer.signal('SIGINT')
    await buyer.ended
    // Its last promise may have come to the device too late: that is not owed, whatever was signed.
    const signed = await promisedBy(street)
    const claimed = () => chain.balanceOf(people.receiver.address)
    const taken = async () => (await stall.sale()).promised
    await until(
      async () => (await claimed()) === (await taken()),
      'what the device took is claimed',
    )
    operator.signal('SIGTERM')
    assert.equal(await operator.ended, 0, operator.words())
    const { promised, delivered } = await stall.sale()
    assert.equal(await claimed(), promised)
    assert.ok(delivered > 0n && delivered <= promised && promised <= signed)
    t.diagnostic(`delivered ${delivered}, promised and claimed ${promised}, signed ${signed}`)
    await call(chain.rpc, 'evm_increaseTime', [channel.config.withdrawDelay])
    await call(chain.rpc, 'anvil_mine', ['0x1'])
    await payer.finalizeWithdraw(channel.config)
    assert.equal(await chain.balanceOf(people.buyer.address), purse - promised)
    assert.equal(await chain.balanceOf(chain.settlement), 0n)
  })

  it('goes on while one of three endpoints lies, which is named, and the next buyer waits', async (t) => {
    const street = await openStreet(t)
    const { chain } = street
    const proxies = [await openProxy(chain.rpc), await openProxy(chain.rpc)] as const
    for (const { close } of proxies) t.after(close)
    const [liar] = proxies
    const rpcs = [chain.rpc, ...proxies.map(({ rpc }) => rpc)]
    await changeDesk(street, (desk) => ({ ...desk, chain: { ...desk.chain, rpcs } }))
    const stall = await opened(street)
    const operator = await street.operate()
    const buyer = buying(street, stall)
    await buyer.heard(5)
    liar.mood = saying(settlementCall('channels', [new Uint8Array(32)]).slice(0, 10), 10n ** 9n, 0n)
    const { rpc, code } = await operator.says(({ event }) => event === 'endpoint failing')
    assert.deepEqual([rpc, code], [liar.name, 'CHAIN_DISAGREES'])
    const rows = buyer.rows().length
    await buyer.heard(rows + 10)
    const second = buyingElsewhere(street, stall)
    await second.tells(/the gateway has not seen that channel/)
    assert.equal(operator.said().filter(({ event }) => event === 'granted').length, 1)
    liar.mood = 'honest'
    await operator.says(({ event }) => event === 'endpoint well')
    await second.heard(3)
    for (const one of [buyer, second]) {
      one.signal('SIGINT')
      assert.equal(await one.ended, 0, one.words())
    }
    operator.signal('SIGTERM')
    assert.equal(await operator.ended, 0, operator.words())
  })
})

async function opened({ stalls }: Street): Promise<Stall> {
  const stall = stalls[0] as Stall
  await stall.open()
  return stall
}

function buying(street: Street, stall: Stall): Running {
  return street.buy(...flagsFor(street, stall), '--json', join(street.folder, 'bought.json'))
}

/** The same buyer from other books: another channel. */
function buyingElsewhere(street: Street, stall: Stall): Running {
  return street.buy(...flagsFor(street, stall), '--folder', join(street.folder, 'other'))
}

function flagsFor({ chain }: Street, { device }: Stall): string[] {
  return ['--device', device, '--stream', 'air', '--budget', '1', '--rpc', chain.rpc]
}

// biome-ignore lint/suspicious/noExplicitAny: a config before anyone has read it
type Raw = any

async function changeDesk({ folder }: Street, how: (desk: Raw) => Raw): Promise<void> {
  const file = join(folder, 'operate.yaml')
  await writeFile(file, JSON.stringify(how(JSON.parse(await readFile(file, 'utf8')))))
}

/** A line to the chain, with the buyer's key if it shall send. */
async function readerOf({ chain, people }: Street, sends = false): Promise<Chain> {
  const { rpc, chainId, settlement } = chain
  const sender = localSigner(await readKeyFile(people.buyer.file))
  const limits = { pollMs: 20 }
  return openChain({ rpcs: [rpc], chainId, settlement, limits, ...(sends ? { sender } : {}) })
}

/** The channels in the gateway's books. */
function desk({ folder }: Street) {
  const ledger = openLedger(join(folder, 'operator', 'gateway.sqlite'))
  try {
    return ledger.channels()
  } finally {
    ledger.close()
  }
}

async function promisedBy({ folder }: Street): Promise<bigint> {
  const json = JSON.parse(await readFile(join(folder, 'bought.json'), 'utf8'))
  return BigInt(json.money.promisedTotal)
}
