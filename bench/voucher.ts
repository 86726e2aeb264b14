/**
 * What a payment costs a device to check, against ethers.verifyTypedData in the same run: both
 * sides see the same voucher and split, in turns, so that a busy machine slows both.
 */
import { verifyTypedData } from 'ethers'
import { keccak256, recover } from '#crypto'
import { hex } from '../runtime/wire/bytes.ts'
import type { Rail } from '../runtime/wire/channel.ts'
import { checkPayment, isSignedBy, type Payment } from '../runtime/wire/payment.ts'
import { paymentTree } from '../runtime/wire/paymenttree.ts'
import { localSigner } from '../runtime/wire/signer.ts'
import { signSplit } from '../runtime/wire/split.ts'
import { signVoucher } from '../runtime/wire/voucher.ts'
import type { Figure } from './figure.ts'

const turns = 20
const perTurn = 20
const fleet = 10_000

export async function bench(): Promise<Figure[]> {
  const { payment, rail, payer } = await onePayment()
  const { voucher, split, leaf } = payment
  const ground = {
    channelId: voucher.channelId,
    rail,
    payerAuthorizer: payer,
    device: leaf.device,
    index: leaf.index,
  }
  const theirs = withEthers(payment, rail)
  const digest = new Uint8Array(32).fill(1)
  const [ours, ethers, whole, bare, hash] = race([
    () => isSignedBy(voucher, split, rail, payer),
    () => theirs() === payer,
    () => checkPayment(payment, ground, undefined).ok,
    () => recover(digest, voucher.signature) !== undefined,
    () => keccak256(digest).length === 32,
  ]) as [number, number, number, number, number]
  return [
    {
      name: 'voucher and split checks over ethers.verifyTypedData',
      value: ethers / ours,
      unit: 'times',
      goal: 'at least 10',
    },
    { name: 'voucher and split check', value: ours, unit: 'ms', goal: 'as measured' },
    {
      name: 'whole payment check, path of ten thousand devices',
      value: whole,
      unit: 'ms',
      goal: 'at most 0.54',
    },
    { name: 'of it, one bare recover', value: bare, unit: 'ms', goal: 'as measured' },
    { name: 'of it, one bare keccak', value: hash, unit: 'ms', goal: 'as measured' },
    ...treeFigures(),
  ]
}

/** Milliseconds a call for each, taking turns. */
function race(calls: readonly (() => boolean)[]): number[] {
  const spent = calls.map(() => 0)
  for (let turn = -2; turn < turns; turn += 1) {
    for (const [i, call] of calls.entries()) {
      const from = performance.now()
      for (let n = 0; n < perTurn; n += 1) if (!call()) throw new Error('a check failed')
      // The first two turns warm up both sides and are not counted.
      if (turn >= 0) spent[i] = (spent[i] ?? 0) + performance.now() - from
    }
  }
  return spent.map((ms) => ms / (turns * perTurn))
}

function treeFigures(): Figure[] {
  const from = performance.now()
  const tree = fleetTree()
  tree.root()
  const built = performance.now()
  const changes = 100
  for (let index = 0; index < changes; index += 1) {
    tree.set({ index, device: deviceOf(index), amount: 9_000_000n })
    tree.root()
  }
  const changed = (performance.now() - built) / changes
  return [
    { name: 'payment tree of 10,000', value: built - from, unit: 'ms', goal: 'at most 148' },
    { name: 'one change in it', value: changed, unit: 'ms', goal: 'at most 0.2' },
  ]
}

function fleetTree() {
  const tree = paymentTree()
  for (let index = 0; index < fleet; index += 1) {
    tree.set({ index, device: deviceOf(index), amount: BigInt(index) * 1000n })
  }
  return tree
}

function deviceOf(index: number) {
  return `0x${(index + 1).toString(16).padStart(40, '0')}` as const
}

async function onePayment() {
  const signer = localSigner(new Uint8Array(32).fill(0x11))
  const rail: Rail = { chainId: 31337, settlement: '0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003' }
  const tree = fleetTree()
  const { root, total } = tree.root()
  const channelId = new Uint8Array(32).fill(3)
  const leaf = { index: 77, device: deviceOf(77), amount: 77_000n }
  const payment: Payment = {
    voucher: await signVoucher({ channelId, maxClaimableAmount: total }, rail, signer),
    split: await signSplit({ channelId, period: 1n, total, root }, rail, signer),
    leaf,
    path: tree.path(leaf.index),
  }
  return { payment, rail, payer: signer.address }
}

/** The same two checks as a program with ethers alone would make them. */
function withEthers({ voucher, split }: Payment, rail: Rail): () => string {
  const domain = {
    name: 'x402 Batch Settlement',
    version: '1',
    chainId: rail.chainId,
    verifyingContract: rail.settlement,
  }
  const fields = (text: string) =>
    text.split(',').map((member) => {
      const [type = '', name = ''] = member.split(' ')
      return { name, type }
    })
  const voucherTypes = { Voucher: fields('bytes32 channelId,uint128 maxClaimableAmount') }
  const splitTypes = { Split: fields('bytes32 channelId,uint64 period,uint128 total,bytes32 root') }
  const channelId = hex(voucher.channelId)
  const asked = { channelId, maxClaimableAmount: voucher.maxClaimableAmount }
  const divided = { channelId, period: split.period, total: split.total, root: hex(split.root) }
  const [first, second] = [hex(voucher.signature), hex(split.signature)]
  return () => {
    const one = verifyTypedData(domain, voucherTypes, asked, first)
    const two = verifyTypedData(domain, splitTypes, divided, second)
    return one === two ? one.toLowerCase() : ''
  }
}
