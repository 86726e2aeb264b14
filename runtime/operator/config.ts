/**
 * Every setting of the operator's desk (operate.yaml): default, unit, limit and reason, in one
 * schema.
 */
import { z } from 'zod'
import {
  brokerLine,
  configAddress,
  decimal,
  duration,
  smallestUnits,
  watchHost,
} from '../config/quantity.ts'
import type { GasRules } from '../link/gasprice.ts'
import { zeroAddress } from '../wire/address.ts'
import type { OfferedRail } from '../wire/offer.ts'
import { openRegister, type Register } from './register.ts'
import { isSchedule } from './settler.ts'

const second = 1000
const minute = 60 * second
const day = 86_400 * second

const keysSchema = z.strictObject({
  operator: z.string().min(1).describe('Enrols devices: whoever holds it owns the fleet.'),
  gateway: z
    .string()
    .min(1)
    .describe(
      'Signs grants, acks and claims. No server of another kind may share it: ' +
        'one that forgot a channel could be talked into refunding it.',
    ),
  gas: z
    .string()
    .min(1)
    .optional()
    .describe('Sends the transactions and pays for them, when the gateway key shall hold no coin.'),
  passwordFile: z.string().optional().describe('Opens key files in keystore v3 format.'),
})

const gwei = decimal.refine(
  (text) => smallestUnits(text, 9) !== undefined,
  'finer than a wei; nine decimals are the most',
)

/** One endpoint of a chain. */
export const endpoint = z
  .string()
  .refine(isEndpoint, 'not an endpoint; write the https:// URL of a JSON-RPC')

const chainSchema = z.strictObject({
  rpcs: z
    .array(endpoint)
    .min(1)
    .max(8)
    .describe('JSON-RPC endpoints; two of different owners, which must agree.'),
  id: z.number().int().positive(),
  settlement: configAddress,
  collector: configAddress.describe('Takes deposits signed under EIP-3009.'),
  permit2Collector: configAddress
    .optional()
    .describe('Takes deposits of tokens without EIP-3009, through Permit2.'),
  confirmations: z
    .number()
    .int()
    .min(0)
    .max(1000)
    .default(3)
    .describe('Blocks on top before a deposit counts; 0 only on a chain of your own.'),
  gas: z
    .strictObject({
      maxFee: gwei
        .default('1000')
        .describe(
          'Gwei for a unit of gas: above it claims wait, but for the last half of a withdraw delay.',
        ),
      tip: gwei.optional().describe('Gwei of it for the miner; what the chain asks when left out.'),
      bump: z
        .number()
        .int()
        .min(13)
        .max(1000)
        .default(25)
        .describe('Per cent more for a claim that waits in vain; below 12.5 nodes keep the old.'),
      minedAfter: duration({ min: second, max: 60 * minute })
        .default(3 * minute)
        .describe('A claim that is not mined after this is offered again, dearer.'),
    })
    .prefault({}),
})

const tokenSchema = z.strictObject({
  address: configAddress,
  name: z.string().max(100).describe('In its own EIP-712 domain.'),
  version: z.string().max(20).describe('In its own EIP-712 domain.'),
  decimals: z.number().int().min(0).max(36).default(6),
  perCoin: decimal
    .default('0')
    .describe('Tokens that one coin of the chain is worth, to weigh gas; 0 does not weigh it.'),
})

const deviceSchema = z.union([
  configAddress.transform((device) => ({ device, signingKey: device, version: 1 })),
  z.strictObject({
    device: configAddress,
    signingKey: configAddress.describe('The key that speaks for it, when not its first.'),
    version: z.number().int().min(1).max(0xffff_ffff).describe('Higher at each change of key.'),
  }),
])

export const operatorSchema = z
  .strictObject({
    folder: z.string().min(1).describe('Where the books of all channels live. Back it up.'),
    broker: brokerLine,
    keys: keysSchema,
    receiver: configAddress.describe('Where the money goes; its key is not needed here.'),
    chain: chainSchema,
    tokens: z.array(tokenSchema).min(1).max(16),
    devices: z.array(deviceSchema).max(100_000).default([]).describe('The fleet: who is enrolled.'),
    withdrawDelayMin: duration({ min: day, max: 30 * day })
      .default(7 * day)
      .describe('A buyer that could withdraw sooner than we surely claim is refused.'),
    look: duration({ min: 100, max: 60 * minute })
      .default(30 * second)
      .describe('How often the chain is read: a withdrawal is seen after this long at most.'),
    ack: duration({ min: second, max: 360 * minute })
      .default(10 * minute)
      .describe('How often devices hear the time though nothing changed.'),
    settle: z
      .strictObject({
        schedule: z
          .string()
          .refine(isSchedule, 'not a cron line; write five fields, as "0 3 * * *"')
          .default('0 3 * * *')
          .describe('When promised money is claimed; a withdrawal is met at once all the same.'),
        gasShare: z
          .number()
          .min(0.001)
          .max(1)
          .default(0.05)
          .describe('Gas may cost this share of what a claim brings; less waits and adds up.'),
      })
      .prefault({}),
    watch: z
      .strictObject({
        host: watchHost,
        port: z
          .number()
          .int()
          .min(0)
          .max(65_535)
          .default(9465)
          .describe('0 chooses a free one. A device beside the desk has 9464.'),
      })
      .prefault({})
      .describe('What operators see.'),
  })
  .superRefine(({ tokens, devices, receiver }, context) => {
    const problem = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message })
    if (receiver === zeroAddress) problem(['receiver'], 'the zero address; name your own')
    for (const [i, { address, perCoin, decimals }] of tokens.entries()) {
      if (address === zeroAddress) {
        problem(['tokens', i, 'address'], 'the zero address; name the token that buyers pay in')
      }
      if (smallestUnits(perCoin, decimals) !== undefined) continue
      problem(['tokens', i, 'perCoin'], "finer than the token's smallest unit; round it")
    }
    const seen = new Set<string>()
    for (const [i, { device }] of devices.entries()) {
      if (seen.has(device)) problem(['devices', i], `${device} stands twice; leave one`)
      seen.add(device)
    }
  })

export type OperatorConfig = z.infer<typeof operatorSchema>

function isEndpoint(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text)
}

/** The tokens as an offer lists them. */
export function railsOf({ chain, tokens }: OperatorConfig): readonly OfferedRail[] {
  const { id: chainId, settlement, collector, permit2Collector } = chain
  return tokens.map(({ address: token, name: tokenName, version: tokenVersion, decimals }) => ({
    chainId,
    settlement,
    collector,
    ...(permit2Collector === undefined ? {} : { permit2Collector }),
    token,
    tokenName,
    tokenVersion,
    decimals,
  }))
}

export function registerOf({ devices }: OperatorConfig, operator: Register['operator']): Register {
  return openRegister(operator, devices)
}

/** What a unit of gas may cost, in wei. */
export function gasOf({ chain: { gas } }: OperatorConfig): GasRules {
  const wei = (text: string) => smallestUnits(text, 9) ?? 0n
  return {
    maxFee: wei(gas.maxFee),
    bumpPercent: BigInt(gas.bump),
    ...(gas.tip === undefined ? {} : { tip: wei(gas.tip) }),
  }
}

/** How the settler weighs gas. */
export function policyOf({ tokens, settle }: OperatorConfig) {
  const worth = new Map(
    tokens.map(({ address, perCoin, decimals }) => [address, smallestUnits(perCoin, decimals)]),
  )
  return {
    perCoin: (token: Register['operator']) => worth.get(token) ?? 0n,
    gasPermille: BigInt(Math.round(settle.gasShare * 1000)),
  }
}
