/** The plain purchase: one stream of one device, paid on sight, and its end, held to the last number and unit. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Running } from './process.ts'
import { counted, numbersOf, type Stall } from './stall.ts'
import { agreed, type Street } from './street.ts'

/** A buyer, and where it leaves its last summary. */
export type Purchase = { readonly buyer: Running; readonly json: string }

/** What `wayside buy` is told for the stream `air` of a device, for a token at most. */
export function wantsAir(
  { chain }: Pick<Street, 'chain'>,
  { device }: Pick<Stall, 'device'>,
  json: string,
): readonly string[] {
  const what = ['--device', device, '--stream', 'air', '--budget', '1']
  return [...what, '--rpc', chain.rpc, '--json', json]
}

/** The street's buyer, with its own books; `flags` are more of what it is told. */
export function buyAir(street: Street, stall: Stall, ...flags: readonly string[]): Purchase {
  const json = join(street.folder, 'bought.json')
  return { buyer: street.buy(...wantsAir(street, stall, json), ...flags), json }
}

/**
 * Ends the buyer, then the operator: every number was read, from the `first` on or from where it began, and
 * every unit that was promised is delivered and settled.
 */
export async function settled(
  street: Street,
  operator: Running,
  { buyer, json }: Purchase,
  first?: number,
): Promise<{ readonly numbers: readonly number[]; readonly promised: bigint }> {
  buyer.signal('SIGINT')
  assert.equal(await buyer.ended, 0, buyer.words())
  const numbers = numbersOf(buyer.said())
  assert.deepEqual(numbers, counted(first ?? numbers[0], numbers.length))
  const { promised, delivered } = await agreed(street, operator, json)
  assert.equal(delivered, promised)
  return { numbers, promised }
}
