import settlement from './generated/BatchSettlement.json' with { type: 'json' }
import permit2 from './generated/DevPermit2.json' with { type: 'json' }
import plainToken from './generated/DevPlainToken.json' with { type: 'json' }
import token from './generated/DevToken.json' with { type: 'json' }
import collector from './generated/Eip3009Collector.json' with { type: 'json' }
import multicall from './generated/Multicall3.json' with { type: 'json' }
import permit2Collector from './generated/Permit2Collector.json' with { type: 'json' }

/** One compiled contract, as build.ts writes it. */
export type Artifact = {
  readonly name: string
  /** SHA-256 of all sources, settings and pins it was built from. */
  readonly sourceHash: string
  /** Code to deploy, to be followed by the constructor's arguments. */
  readonly creation: string
  /** Code as it stands on the chain, zeros where an immutable goes. */
  readonly runtime: string
  /** Byte offsets in `runtime` of the words that hold the settlement's address; the one immutable we have. */
  readonly settlementAt: readonly number[]
  readonly abi: readonly { readonly type: string; readonly name?: string }[]
}

export const artifacts = {
  settlement: settlement as Artifact,
  collector: collector as Artifact,
  permit2Collector: permit2Collector as Artifact,
  permit2: permit2 as Artifact,
  token: token as Artifact,
  plainToken: plainToken as Artifact,
  multicall: multicall as Artifact,
} as const

/** Where x402 and what it needs stand on public chains; stock clients know no other addresses. */
export const canonical = {
  settlement: '0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003',
  collector: '0x4020806089470a89826cb9fb1f4059150b550004',
  permit2Collector: '0x4020425faf3b746c082c2f942b4e5159887b0005',
  permit2: '0x000000000022d473030f116ddee9f6b43ac78ba3',
  multicall: '0xca11bde05977b3631167028862be2a173976ca11',
} as const

/** The code to put at an address by `anvil_setCode`, bound to the settlement contract at `settlement`. */
export function placed(artifact: Artifact, settlement: string): string {
  const word = settlement.slice(2).toLowerCase().padStart(64, '0')
  let code = artifact.runtime
  for (const at of artifact.settlementAt) {
    const start = 2 + 2 * at
    code = code.slice(0, start) + word + code.slice(start + 64)
  }
  return code
}
