/** What a device is paid with: a token on a chain, and the contracts that hold deposits of it there. */
import { z } from 'zod'
import { configAddress } from './quantity.ts'

/** Addresses, and what the token's own EIP-712 domain says. */
export const railSchema = z.strictObject({
  chainId: z.number().int().min(1).describe('EIP-155 number of the chain: 8453 is Base.'),
  settlement: configAddress.describe('The batch-settlement contract there.'),
  collector: configAddress.describe('The contract that takes deposits for it.'),
  permit2Collector: configAddress
    .optional()
    .describe('The contract that takes deposits of tokens without EIP-3009, through Permit2.'),
  token: configAddress.describe('The token that is paid in.'),
  tokenName: z.string().max(100).describe('Name of the token in its own EIP-712 domain.'),
  tokenVersion: z.string().max(20).describe('Version of the token in its own EIP-712 domain.'),
  decimals: z
    .number()
    .int()
    .min(0)
    .max(36)
    .default(6)
    .describe('Digits of its smallest unit after the point; the same for every rail.'),
})
