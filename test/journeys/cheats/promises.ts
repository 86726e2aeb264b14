/** A buyer that promises what it should not: the device and the gateway refuse it by name, and serve on. */
import assert from 'node:assert/strict'
import { randomBytes } from '#crypto'
import { channelId } from '../../../runtime/wire/channel.ts'
import type { Payment } from '../../../runtime/wire/payment.ts'
import { paymentTree } from '../../../runtime/wire/paymenttree.ts'
import type { Range, Request } from '../../../runtime/wire/request.ts'
import { localSigner } from '../../../runtime/wire/signer.ts'
import { signSplit } from '../../../runtime/wire/split.ts'
import { signVoucher } from '../../../runtime/wire/voucher.ts'
import { type Journey, journey } from '../journey.ts'
import { type Street, until } from '../street.ts'
import {
  booksOf,
  buyOne,
  deposited,
  newest,
  openBuyer,
  openPeer,
  openSale,
  type Peer,
  refused,
  refusedOrder,
  type Sale,
  settled,
  unmoved,
} from './sale.ts'

/** More than an epoch costs: of 400 ms at a thousand units a second. */
const anEpoch = 500n

const forged = journey({
  name: 'forged voucher',
  says: 'a promise that another key signed is refused at the desk and at the gateway',
  run: (street) =>
    withBuyer(street, async (sale, peer) => {
      const thief = localSigner(randomBytes(32))
      const payment = await peer.pay(2n * anEpoch, 2n, { signer: thief })
      await refused(peer.desk, promise(payment, await newest(sale)), 'promise-signature')
      await refused(peer.gate, booksOf(payment), 'promise-signature')
      // One good signature of the two is none.
      const half = { ...payment, split: (await peer.pay(2n * anEpoch, 2n)).split }
      await refused(peer.desk, promise(half, await newest(sale)), 'promise-signature')
    }),
})

const unsummed = journey({
  name: 'split that does not sum',
  says: 'a leaf that its signed tree does not bear out is refused, and so are books that make another root',
  run: (street) =>
    withBuyer(street, async (sale, peer) => {
      const good = await peer.pay(2n * anEpoch, 2n)
      const more = { ...good, leaf: { ...good.leaf, amount: good.leaf.amount + 1n } }
      await refused(peer.desk, promise(more, await newest(sale)), 'promise-path')
      const sibling = { hash: randomBytes(32), sum: 7n }
      const taller = { ...good, path: [sibling] }
      await refused(peer.desk, promise(taller, await newest(sale)), 'promise-path')
      await refused(peer.gate, booksOf(more), 'books-root')
      await refused(peer.gate, { ...booksOf(good), leaves: [] }, 'books-root')
      const other = await peer.pay(3n * anEpoch, 2n)
      await refused(peer.gate, { ...booksOf(good), voucher: other.voucher }, 'promise-total')
      // All of one total for each of two devices: a tree that hashes the added sum would let it.
      const twice = await allForTwo(sale, peer, 2n * anEpoch)
      await refused(peer.desk, promise(twice, await newest(sale)), 'promise-path')
    }),
})

const overCap = journey({
  name: 'amount above cap',
  says: 'a promise of more than the deposit covers is refused whole',
  run: (street) =>
    withBuyer(street, async (sale, peer) => {
      const payment = await peer.pay(deposited + 1n, 2n)
      const no = await refused(peer.desk, promise(payment, await newest(sale)), 'promise-over-cap')
      assert.equal(String(no.facts.cap), String(deposited))
      await refused(peer.gate, booksOf(payment), 'books-over-cap')
    }),
})

const lower = journey({
  name: 'a later period with a lower total',
  says: 'a promise that takes some of an earlier one back is refused, and the earlier one is claimed',
  run: (street) =>
    withBuyer(street, async (sale, peer) => {
      const payment = await peer.pay(anEpoch - 1n, 2n)
      await refused(peer.desk, promise(payment, await newest(sale)), 'promise-lower')
      await refused(peer.gate, booksOf(payment), 'books-lower')
    }),
})

const twoTrees = journey({
  name: 'two trees for one period',
  says: 'the desk refuses the second tree; shown to the gateway instead, it ends the channel, and the larger is claimed',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    const range = await newest(sale)
    const first = await peer.pay(2n * anEpoch, 1n)
    const other = await peer.pay(anEpoch, 1n)
    assert.equal((await peer.desk.request(promise(first, range)))?.kind, 'state')
    await unmoved(sale, () => refused(peer.desk, promise(other, range), 'promise-two-trees'))
    const before = await sale.stall.sale()
    // The device tells its gateway what it holds, so one of the two comes second, whichever it is.
    await peer.gate.request(booksOf(other))
    const end = await sale.operator.says(({ event }) => event === 'ended')
    assert.equal(end.why, 'two trees')
    await refused(peer.gate, booksOf(await peer.pay(2n * anEpoch, 2n)), 'promise-two-trees')
    await until(async () => {
      const answer = await peer.desk.request(promise(await peer.pay(2n * anEpoch, 2n), range))
      return answer?.kind === 'refusal' && answer.refusal.code === 'grant-taken-back'
    }, 'the grant ends')
    const after = await sale.stall.sale()
    assert.deepEqual([after.delivered, after.promised], [before.delivered, 2n * anEpoch])
    sale.operator.signal('SIGTERM')
    assert.equal(await sale.operator.ended, 0, sale.operator.words())
    const { chain, people } = street
    assert.equal(await chain.balanceOf(people.receiver.address), 2n * anEpoch)
  },
})

const replayed = journey({
  name: 'replay on another channel or chain',
  says: 'a voucher counts in the channel, on the chain and at the contract that it was signed for, and nowhere else',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    const paid = await buyOne(sale, peer, anEpoch, 1n)
    const { signer } = peer
    const twin = await openBuyer(sale, { signer, config: { salt: randomBytes(32) } })
    await unmoved(sale, async () => {
      const range = await newest(sale)
      await refused(twin.desk, promise(paid, range), 'promise-channel')
      await refused(twin.gate, booksOf(paid), 'promise-channel')
      const channelHere = { channelId: twin.channel }
      const renamed = {
        ...paid,
        voucher: { ...paid.voucher, ...channelHere },
        split: { ...paid.split, ...channelHere },
      }
      await refused(twin.desk, promise(renamed, range), 'promise-signature')
      await refused(twin.gate, booksOf(renamed), 'promise-signature')
      for (const elsewhere of [
        { ...sale.rail, chainId: sale.rail.chainId + 1 },
        { ...sale.rail, settlement: sale.rail.collector },
      ]) {
        const foreign = await twin.pay(anEpoch, 1n, { rail: elsewhere })
        await refused(twin.desk, promise(foreign, range), 'promise-signature')
        await refused(twin.gate, booksOf(foreign), 'promise-signature')
        const { chainId, settlement } = elsewhere
        const rail = { chainId, settlement }
        const order = { channelId: channelId(twin.config, rail), number: 2n }
        const stray = await openPeer(sale, { signer, order, document: { rail } })
        await refusedOrder(stray, 'channel-token')
      }
    })
    await settled(sale, anEpoch, 2n * deposited)
  },
})

export const promises: readonly Journey[] = [forged, unsummed, overCap, lower, twoTrees, replayed]

/** One epoch bought, the cheat, which moves nothing, one more bought, and everything settled. */
async function withBuyer(street: Street, cheat: (sale: Sale, peer: Peer) => Promise<void>) {
  const sale = await openSale(street)
  const peer = await openBuyer(sale)
  await buyOne(sale, peer, anEpoch, 1n)
  await unmoved(sale, () => cheat(sale, peer))
  await buyOne(sale, peer, 5n * anEpoch, 9n)
  await settled(sale, 5n * anEpoch)
}

function promise(payment: Payment, range: Range): Request {
  return { kind: 'promise', payment, buy: [range] }
}

/** A tree with two leaves of `amount`, signed as if it were `amount` in all; the path is a true one. */
async function allForTwo({ rail, stall }: Sale, { channel, signer }: Peer, amount: bigint) {
  const tree = paymentTree()
  const leaf = { index: 0, device: stall.device, amount }
  tree.set(leaf)
  tree.set({ index: 1, device: signer.address, amount })
  const { root } = tree.root()
  const voucher = { channelId: channel, maxClaimableAmount: amount }
  const split = { channelId: channel, period: 2n, total: amount, root }
  return {
    voucher: await signVoucher(voucher, rail, signer),
    split: await signSplit(split, rail, signer),
    leaf,
    path: tree.path(0),
  }
}
