/**
 * The words of the settlement contract and of tokens: calls as bytes, answers as values, transactions as they
 * are signed. Pure, and the only file that knows ethers; the device never loads it.
 */
import { Interface, Signature, Transaction } from 'ethers'
import contract from '../../contracts/generated/BatchSettlement.json' with { type: 'json' }
import { type Fault, fault } from '../faults.ts'
import type { Address } from '../wire/address.ts'
import { type Hex, hex, unhex } from '../wire/bytes.ts'
import { Malformed } from '../wire/malformed.ts'
import type { Signer } from '../wire/signer.ts'
import type { Price } from './gasprice.ts'

const settlement = new Interface(contract.abi)
const token = new Interface([
  'function balanceOf(address) view returns (uint256)',
  'function allowance(address,address) view returns (uint256)',
  'function approve(address,uint256) returns (bool)',
  'function authorizationState(address,bytes32) view returns (bool)',
])

/** A call of the settlement contract. */
export function settlementCall(method: string, args: readonly unknown[]): Hex {
  return settlement.encodeFunctionData(method, args) as Hex
}

/** A call of a token. */
export function tokenCall(method: string, args: readonly unknown[]): Hex {
  return token.encodeFunctionData(method, args) as Hex
}

/** The numbers that a view of the settlement contract answered. Throws Malformed. */
export function settlementNumbers(method: string, answer: Hex): readonly bigint[] {
  try {
    return settlement.decodeFunctionResult(method, answer).toArray().map(BigInt)
  } catch {
    throw new Malformed(`${method}: not what the contract answers`)
  }
}

/** Why the contract refused, from what it returned. */
export function revertFault(action: string, data: string | undefined, words: string): Fault {
  const error = data === undefined ? null : parsedError(data)
  if (error === null) return fault('CHAIN_REFUSED', { action, why: words })
  const [first = 0n, second = 0n] = error.args.toArray() as bigint[]
  if (error.name === 'DepositNotExact') {
    return fault('TOKEN_INEXACT', { brought: first, amount: second })
  }
  const args = error.args.map(String).join(', ')
  return fault('CHAIN_REFUSED', { action, why: `${error.name}(${args})` })
}

function parsedError(data: string) {
  try {
    return settlement.parseError(data)
  } catch {
    return null
  }
}

export type Log = {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

/** What these logs of the settlement contract say was sent to the receiver. */
export function settledBy(
  logs: readonly Log[],
  at: Address,
  receiver: Address,
  money: Address,
): bigint {
  for (const log of logs) {
    if (log.address.toLowerCase() !== at) continue
    const event = settlement.parseLog({ topics: [...log.topics], data: log.data })
    const { args } = event ?? {}
    if (event?.name !== 'Settled' || args === undefined) continue
    const [to, of] = [args.receiver, args.token].map((one) => String(one).toLowerCase())
    if (to === receiver && of === money) return args.amount as bigint
  }
  return 0n
}

export type Unsigned = {
  readonly chainId: number
  readonly nonce: number
  readonly to: Address
  readonly data: Hex
  readonly gasLimit: bigint
  readonly price: Price
}

/** The transaction as it is sent, and the hash that names it. */
export async function signTransaction(
  { price, ...fields }: Unsigned,
  sender: Signer,
): Promise<{ readonly hash: Hex; readonly raw: Hex }> {
  const fee =
    price.tip === undefined
      ? { type: 0, gasPrice: price.maxFee }
      : { type: 2, maxFeePerGas: price.maxFee, maxPriorityFeePerGas: price.tip }
  const transaction = Transaction.from({ ...fields, ...fee })
  const signature = await sender.sign(unhex(transaction.unsignedHash as Hex))
  transaction.signature = Signature.from(hex(signature))
  return { hash: transaction.hash as Hex, raw: transaction.serialized as Hex }
}
