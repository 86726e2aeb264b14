/** A purse for the tests, in a folder of its own. */
import { openBooks } from '../../runtime/buyer/books.ts'
import { newChannel } from '../../runtime/buyer/channels.ts'
import { openPurse } from '../../runtime/buyer/purse.ts'
import type { Want } from '../../runtime/buyer/want.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { buyer, configOf, device as deviceAt, rail } from '../operator/fixture.ts'

export const price = { amount: 1000n, perMs: 1000n }

export async function openTestPurse(folder: string, budget: bigint, devices = 1) {
  const books = await openBooks(folder)
  const channel = books.channels.all()[0] ?? newChannel(configOf(), rail)
  books.channels.put(channel)
  const purse = openPurse({ books, signer: buyer, channel, budget })
  for (let i = 0; i < Math.max(devices, 4); i += 1) purse.grant(deviceAt(i), 1_000_000n)
  for (let i = 0; i < devices; i += 1) purse.seat(deviceAt(i), i)
  return {
    books,
    purse,
    device: deviceAt(0),
    devices: Array.from({ length: devices }, (_, i) => deviceAt(i)),
  }
}

/** An epoch of so many ms, on sight; without a time, one that is paid ahead. */
export function wantOf(device: Address, number: number, ms: bigint | undefined = 100n): Want {
  const meter = { channel: '', device, stream: 'air', terms: '0x00' } as const
  return { meter, price, generation: 1, number, ...(ms === undefined ? {} : { coveredMs: ms }) }
}
