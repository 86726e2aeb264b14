/** The stock package's own ABI, entry by entry, against what our contract was compiled to. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  type Abi,
  type AbiEvent,
  type AbiFunction,
  toEventSignature,
  toFunctionSignature,
} from 'viem'
import { artifacts } from '../../../contracts/artifacts.ts'

test('every function and event that the stock package knows is ours, in names, types and order', async () => {
  const ours = signatures(artifacts.settlement.abi as unknown as Abi)
  const stock = signatures(await stockAbi())
  assert.ok(stock.length > 15)
  for (const signature of stock) assert.ok(ours.includes(signature), signature)
})

function signatures(abi: Abi): readonly string[] {
  return abi.flatMap((entry) => {
    if (entry.type === 'function') return [spell(entry)]
    return entry.type === 'event' ? [spellEvent(entry)] : []
  })
}

function spell(entry: AbiFunction): string {
  const returns = toFunctionSignature({ ...entry, name: 'returns', inputs: entry.outputs })
  return `${toFunctionSignature(entry)} ${entry.stateMutability} ${returns}`
}

function spellEvent(entry: AbiEvent): string {
  return `${toEventSignature(entry)} ${entry.inputs.map(({ indexed }) => indexed)}`
}

/** The package does not export it by name: it stands in one of its chunks. */
async function stockAbi(): Promise<Abi> {
  const folder = new URL('node_modules/@x402/evm/dist/esm/', import.meta.url)
  for (const name of readdirSync(fileURLToPath(folder)).filter((file) => file.endsWith('.mjs'))) {
    const url = new URL(name, folder)
    if (!readFileSync(url, 'utf8').includes('var batchSettlementABI')) continue
    return (await import(url.href)).batchSettlementABI
  }
  throw new Error('no ABI in the package')
}
