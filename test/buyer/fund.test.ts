/** What a channel lacks is deposited, and nothing is signed that its payer could not pay. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openBooks } from '../../runtime/buyer/books.ts'
import { type BuyerChain, channelFor, fund } from '../../runtime/buyer/fund.ts'
import type { OfferedRail } from '../../runtime/wire/offer.ts'
import { buyer, device, token } from '../operator/fixture.ts'

const rail: OfferedRail = {
  chainId: 31_337,
  settlement: device(100),
  collector: device(103),
  token,
  tokenName: 'Dev Dollar',
  tokenVersion: '1',
  decimals: 6,
}
const seller = { receiver: device(8), gateway: device(9), withdrawDelayMinS: 86_400 }

/** A payer with so many tokens, and a channel with nothing in it. */
async function poor(t: TestContext, has: bigint | undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-fund-'))
  const books = await openBooks(folder)
  t.after(async () => {
    await books.close()
    await rm(folder, { recursive: true })
  })
  const deposited: bigint[] = []
  const chain: BuyerChain = {
    state: async () => ({ balance: 500_000n }),
    async deposit(_rail, _config, amount) {
      deposited.push(amount)
      return { hash: '0x01' }
    },
    ...(has === undefined ? {} : { balanceOf: async () => has }),
    close() {},
  }
  const channel = channelFor(books, buyer.address, seller, rail)
  return { deposited, put: () => fund(chain, channel, rail, 2_000_000n, buyer) }
}

test('what the channel lacks is deposited, and no more', async (t) => {
  const { deposited, put } = await poor(t, 1_500_000n)
  assert.deepEqual(await put(), { amount: 1_500_000n, tx: '0x01' })
  assert.deepEqual(deposited, [1_500_000n])
})

test('a payer with too few tokens is named, with what it has and needs, before anything is sent', async (t) => {
  const { deposited, put } = await poor(t, 1_499_999n)
  await assert.rejects(put(), {
    code: 'TOKEN_MISSING',
    exit: 2,
    message: new RegExp(`${buyer.address} has 1\\.499999 .*, and 1\\.5 are to be deposited`),
  })
  assert.deepEqual(deposited, [])
})

test('a chain that cannot be asked for tokens is left to refuse the deposit itself', async (t) => {
  const { deposited, put } = await poor(t, undefined)
  await put()
  assert.deepEqual(deposited, [1_500_000n])
})
