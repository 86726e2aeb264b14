/** What the demo cost in gas: every transaction of its chain, by what it did. */
import { keccak256 } from '#crypto'
import { artifacts } from '../contracts/artifacts.ts'
import { hex, utf8 } from '../runtime/wire/bytes.ts'
import { call } from './chain.ts'

type Input = { readonly type: string; readonly components?: readonly Input[] }
/** As the node answers them. */
type Block = { readonly transactions: readonly { readonly hash: string; readonly input: string }[] }
type Receipt = { readonly gasUsed: string }

type Entry = { readonly type: string; readonly name?: string; readonly inputs?: readonly Input[] }

/** The newest block; what is above it later was made since. */
export async function blockNumber(rpc: string): Promise<number> {
  return Number(await call(rpc, 'eth_blockNumber', []))
}

/**
 * Gas of every transaction above block `since`, by what it called: `deposit`, `claim + settle`. Several of
 * one kind are added.
 */
export async function gasByAction(rpc: string, since = 0): Promise<Record<string, number>> {
  const names = selectors()
  const gas: Record<string, number> = {}
  const newest = await blockNumber(rpc)
  for (let block = since + 1; block <= newest; block += 1) {
    const number = `0x${block.toString(16)}`
    const found = await call<Block>(rpc, 'eth_getBlockByNumber', [number, true])
    if (found === '') continue
    for (const { hash, input } of found.transactions) {
      const name = actionOf(input, names)
      if (name === undefined) continue
      const receipt = await call<Receipt>(rpc, 'eth_getTransactionReceipt', [hash])
      if (receipt === '') continue
      gas[name] = (gas[name] ?? 0) + Number(receipt.gasUsed)
    }
  }
  return gas
}

/** What a transaction calls; for several calls in one, each of them. */
function actionOf(input: string, names: ReadonlyMap<string, string>): string | undefined {
  const name = names.get(input.slice(0, 10))
  if (name !== 'multicall') return name
  // multicall(bytes[]): offset, count, the offset of each call, and there its length and its bytes.
  const words = input.slice(10)
  const number = (at: number) => Number(`0x${words.slice(at * 2, at * 2 + 64)}`)
  const calls = Array.from({ length: number(32) }, (_, i) => {
    const at = 64 + number(64 + i * 32) + 32
    return names.get(`0x${words.slice(at * 2, at * 2 + 8)}`) ?? 'unknown'
  })
  return calls.join(' + ')
}

/** The settlement's functions by their first four bytes. */
function selectors(): Map<string, string> {
  const entries = artifacts.settlement.abi as readonly Entry[]
  return new Map(
    entries.flatMap(({ type, name = '', inputs = [] }) => {
      if (type !== 'function') return []
      const signature = `${name}(${inputs.map(canonicalType).join(',')})`
      return [[hex(keccak256(utf8(signature)).slice(0, 4)), name]]
    }),
  )
}

function canonicalType({ type, components }: Input): string {
  if (components === undefined) return type
  return type.replace('tuple', `(${components.map(canonicalType).join(',')})`)
}
