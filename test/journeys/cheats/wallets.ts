/** Wallets and channels: what a payer could void behind a device's back is refused at the door. */
import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { JsonRpcProvider, Wallet } from 'ethers'
import { randomBytes } from '#crypto'
import { channel as channelOf, openStage, type Party } from '../../../contracts/actors.ts'
import { call } from '../../../demo/chain.ts'
import { faults } from '../../../runtime/faults.ts'
import { openChain } from '../../../runtime/link/chain.ts'
import { type Address, zeroAddress } from '../../../runtime/wire/address.ts'
import { type Hex, hex, unhex } from '../../../runtime/wire/bytes.ts'
import { encodeCbor } from '../../../runtime/wire/cbor.ts'
import { type ChannelConfig, channelId } from '../../../runtime/wire/channel.ts'
import { localSigner } from '../../../runtime/wire/signer.ts'
import { type Journey, journey } from '../journey.ts'
import { type Street, until } from '../street.ts'
import { inOrder, openHonest } from './honest.ts'
import {
  booksOf,
  buyOne,
  deposited,
  isRefusal,
  newest,
  openBuyer,
  openPeer,
  openSale,
  type Peer,
  refused,
  refusedOrder,
  type Sale,
  settled,
  told,
  unmoved,
} from './sale.ts'

const revoked = journey({
  name: 'wallet signer that revokes itself',
  says: 'on chain a voucher that a wallet approves dies with the approval, so a channel without a payerAuthorizer is refused at the door',
  async run(street) {
    const { chain, people } = street
    const stage = openStage(chain)
    street.end.add(stage.close)
    const [payer, device] = [await stage.party(deposited), Wallet.createRandom() as Party]
    const parties = [people.receiver, people.gateway].map(({ address }) => ({ address }) as Party)
    const [receiver, gateway] = parties as [Party, Party]
    const config = {
      ...channelOf(stage, payer, receiver, gateway),
      payerAuthorizer: zeroAddress,
    }
    const data = await stage.depositData(config, payer, deposited)
    await stage.send(stage.settlement, payer, 'deposit', config, deposited, chain.collector, data)
    // The wallet lets a device of its own sign, by EIP-7702 and ERC-1271, and one day no more.
    await call(chain.rpc, 'anvil_setCode', [wallet, saysYes])
    await delegate(payer, wallet)
    const row = await stage.voucher(config, device, 500n)
    const claim = () =>
      stage.settlement.getFunction('claim').staticCall([row], { from: people.receiver.address })
    await claim()
    await delegate(payer, zeroAddress)
    await assert.rejects(claim, /VoucherNotSigned/)

    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await unmoved(sale, async () => {
      const signer = localSigner(unhex(payer.privateKey as Hex))
      const here = { ...config, salt: unhex(config.salt as Hex) } as ChannelConfig
      const order = { channelId: channelId(here, sale.rail) }
      await refusedOrder(
        await openPeer(sale, { signer, config: here, order }),
        'channel-authorizer-zero',
      )
    })
    await buyOne(sale, peer, 500n, 1n)
    await settled(sale, 500n, 2n * deposited)
  },
})

const delegated = journey({
  name: 'payer that delegates its account',
  says: 'a payer with a payerAuthorizer that puts code at its address in the middle of a sale owes what it signed all the same',
  async run(street) {
    const { chain } = street
    const sale = await openSale(street)
    const secret = randomBytes(32)
    const peer = await openBuyer(sale, { signer: localSigner(secret) })
    await buyOne(sale, peer, 500n, 1n)
    await call(chain.rpc, 'anvil_setCode', [wallet, saysNo])
    const provider = new JsonRpcProvider(chain.rpc, chain.chainId, { staticNetwork: true })
    street.end.add(() => provider.destroy())
    await delegate(new Wallet(hex(secret), provider), wallet)
    const code = await call(chain.rpc, 'eth_getCode', [peer.signer.address, 'latest'])
    assert.match(code, /^0xef0100/)
    await buyOne(sale, peer, 1_000n, 2n)
    await settled(sale, 1_000n)
  },
})

const withdrawn = journey({
  name: 'withdrawal in the middle of a sale',
  says: 'a payer who asks for its deposit back gets what the gateway holds a promise for, and no more; that is claimed at once, and no promise that was refused',
  async run(street) {
    const { chain, people } = street
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    await buyOne(sale, peer, 500n, 1n)
    // This one reaches the gateway at once, and the device only when the grant is gone.
    const late = await peer.pay(900n, 2n)
    assert.equal((await peer.gate.request(booksOf(late)))?.kind, 'ok')
    await withdraw(street, sale, peer)
    const end = await sale.operator.says(({ event }) => event === 'ended')
    assert.equal(end.why, 'withdrawal')
    const never = await peer.pay(1_700n, 3n)
    await refused(peer.gate, booksOf(never), 'channel-withdrawing')
    const range = await newest(sale)
    await until(async () => {
      const answer = await peer.desk.request({ kind: 'promise', payment: never, buy: [range] })
      return answer?.kind === 'refusal' && answer.refusal.code === 'grant-taken-back'
    }, 'the grant ends')
    const answer = await peer.desk.request({ kind: 'promise', payment: late, buy: [range] })
    assert.equal(answer?.kind, 'state', told(answer))
    await sale.outside.until(() => peer.desk.keyOf(range.from) !== undefined)
    assert.ok(peer.desk.keyOf(range.from), 'what the gateway holds is delivered')
    const claimed = async () => (await chain.balanceOf(people.receiver.address)) === 900n
    await until(claimed, 'it is claimed inside the delay, with the gateway at work')
    await settled(sale, 900n)
  },
})

const honestly = journey({
  name: 'honest payer that withdraws',
  says: 'an honest buyer whose deposit is asked back in the middle of a sale pays for what it got, and for no more',
  async run(street, t) {
    const { chain, people } = street
    const sale = await openSale(street)
    const honest = await openHonest(street)
    await honest.more(10)
    await withdraw(street, sale, { config: honest.channel(), signer: honest.signer })
    const end = await sale.operator.says(({ event }) => event === 'ended')
    assert.equal(end.why, 'withdrawal')
    const isOver = () =>
      honest.notes.some((note) => 'why' in note && /taken back/.test(`${note.why}`))
    await until(isOver, 'it hears of it')
    // The last that the device took it tells its gateway within seconds.
    const isClaimed = async () => {
      const { delivered, promised } = await sale.stall.sale()
      return delivered > 0n && (await chain.balanceOf(people.receiver.address)) === promised
    }
    // What is on its way comes; then it waits in vain, as it would until its owner ends it.
    await until(isClaimed, 'it is claimed')
    honest.stop()
    await honest.close()
    await until(isClaimed, 'a promise that was still on its way is claimed too')
    inOrder(street, honest.items)
    const { money, counts } = honest.summary()
    const { promised, delivered } = await sale.stall.sale()
    sale.operator.signal('SIGTERM')
    assert.equal(await sale.operator.ended, 0, sale.operator.words())
    const paid = await chain.balanceOf(people.receiver.address)
    t.diagnostic(`${money?.promised} promised, ${promised} taken, ${paid} claimed`)
    assert.equal(paid, promised, 'what the device refused is not claimed')
    assert.equal(paid, delivered, 'and what it took it delivered')
    assert.ok(counts.opened >= counts.bought - 1, `${counts.opened} of ${counts.bought}`)
  },
})

/** The payer asks for what is left of its deposit. */
async function withdraw(
  { chain }: Street,
  { rail: { chainId, settlement } }: Sale,
  { signer, config }: Pick<Peer, 'signer' | 'config'>,
): Promise<void> {
  const line = await openChain({
    ...{ rpcs: [chain.rpc], chainId, settlement, sender: signer },
    limits: { pollMs: 50 },
  })
  await line.initiateWithdraw(config, deposited - 100n)
  line.close()
}

const refund = journey({
  name: 'refund without a record',
  says: 'a gateway signs no refund, for no channel; with lost books it does not start, and on chain nothing moves',
  async run(street) {
    const sale = await openSale(street)
    const peer = await openBuyer(sale)
    const twin = await openPeer(sale, {
      signer: peer.signer,
      config: { salt: randomBytes(32) },
      deposit: deposited,
    })
    await buyOne(sale, peer, 500n, 1n)
    await until(async () => (await sale.stall.sale()).acknowledged === 500n, 'it is acknowledged')
    await unmoved(sale, async () => {
      for (const { channel } of [peer, twin]) {
        const facts = { kind: 'refund', channelId: channel, nonce: 0, amount: Number(deposited) }
        const ask = encodeCbor(new Map(Object.entries(facts)))
        isRefusal(await peer.gate.say(ask), 'request-malformed')
      }
      // Nor does it take books of a channel that nobody ordered from it.
      await refused(peer.gate, booksOf(await twin.pay(1n, 1n)), 'promise-channel')
    })

    sale.operator.signal('SIGKILL')
    await sale.operator.ended
    const [books, copy] = ['operator', 'copy'].map((name) => join(street.folder, name)) as [
      string,
      string,
    ]
    await cp(books, copy, { recursive: true })
    for (const file of ['gateway.sqlite', 'gateway.sqlite-wal', 'gateway.sqlite-shm']) {
      await rm(join(books, file), { force: true })
    }
    const lost = street.wayside(
      'operate',
      '--config',
      join(street.folder, 'operate.yaml'),
      '--json',
    )
    assert.equal(await lost.ended, faults.BOOKS_BEHIND.exit, lost.words())
    assert.ok(lost.words().includes(faults.BOOKS_BEHIND.cure), lost.words())
    for (const one of [peer, twin]) await untouched(street, one)

    await rm(books, { recursive: true })
    await cp(copy, books, { recursive: true })
    const operator = await street.operate()
    await buyOne(sale, peer, 1_000n, 2n)
    await settled({ ...sale, operator }, 1_000n, 2n * deposited)
  },
})

export const wallets: readonly Journey[] = [revoked, delegated, withdrawn, honestly, refund]

/** The channel holds what was put in, and no refund was ever made of it. */
async function untouched({ chain }: Street, { config, ground }: Peer): Promise<void> {
  const { chainId, settlement } = ground.rail
  const line = await openChain({ rpcs: [chain.rpc], chainId, settlement })
  const { balance, refundNonce } = await line.state(config)
  line.close()
  assert.deepEqual([balance, refundNonce], [deposited, 0n])
}

/** Where an account puts its code: a contract that answers ERC-1271 with yes, or with no. */
const wallet: Address = `0x${'7702'.repeat(10)}`
/** PUSH4 0x1626ba7e, shifted to the left of a word and returned: whatever was signed, by whomever. */
const saysYes = '0x631626ba7e60e01b60005260206000f3'
/** Returns a word of zeros. */
const saysNo = '0x60206000f3'

/** The account's own transaction that puts that code at its address (EIP-7702); zero takes it away. */
async function delegate(account: Party, address: Address): Promise<void> {
  const nonce = await account.getNonce()
  // The sender's own transaction counts first.
  const authorization = await account.authorize({ address, nonce: nonce + 1 })
  const sent = await account.sendTransaction({
    ...{ type: 4, to: account.address, nonce, gasLimit: 200_000n },
    authorizationList: [authorization],
  })
  await sent.wait()
}
