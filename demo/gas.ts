/** What the demo cost in gas: every transaction of its chain, by what it did. */
import { keccak256 } from '#crypto'
import { artifacts } from '../contracts/artifacts.ts'
import { hex, utf8 } from '../runtime/wire/bytes.ts'
import { call } from './chain.ts'

type Input = { readonly type: string; readonly components?: readonly Input[] }
type Entry = { readonly type: string; readonly name?: string; readonly inputs?: readonly Input[] }

/** Gas by the name of the function called; several calls of one are added. */
export async function gasByAction(rpc: string): Promise<Record<string, number>> {
  const names = selectors()
  const gas: Record<string, number> = {}
  const newest = Number(await call(rpc, 'eth_blockNumber', []))
  for (let block = 1; block <= newest; block += 1) {
    const number = `0x${block.toString(16)}`
    const { transactions } = (await call(rpc, 'eth_getBlockByNumber', [
      number,
      true,
    ])) as unknown as {
      readonly transactions: readonly { readonly hash: string; readonly input: string }[]
    }
    for (const { hash, input } of transactions) {
      const name = names.get(input.slice(0, 10))
      if (name === undefined) continue
      const receipt = (await call(rpc, 'eth_getTransactionReceipt', [hash])) as unknown as {
        readonly gasUsed: string
      }
      gas[name] = (gas[name] ?? 0) + Number(receipt.gasUsed)
    }
  }
  return gas
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
