/**
 * A chain in memory for the settler: an account's nonces, a mempool, blocks when the test says so, and a
 * sender that speaks of them as the real one does.
 */
import { fault } from '../../runtime/faults.ts'
import type { Chain, Claim } from '../../runtime/link/chain.ts'
import { type Fees, gasRules } from '../../runtime/link/gasprice.ts'
import type { Receipt } from '../../runtime/link/node.ts'
import type { Fate, Outgoing, Version } from '../../runtime/link/outgoing.ts'
import type { Address } from '../../runtime/wire/address.ts'
import type { Hex } from '../../runtime/wire/bytes.ts'
import { device } from './fixture.ts'

export type FakeChain = Pick<
  Chain,
  'fees' | 'claimCall' | 'transactions' | 'settledIn' | 'rouse'
> & {
  /** Claims as they were put into calls. */
  readonly calls: Claim[][]
  /** Every version that was handed over, in order. */
  readonly posts: Version[]
  readonly state: State
  /** Mines what is in the mempool, dearest version first; or takes back the last block. */
  mine(): void
  takeBack(): void
  /** Nobody has what was handed over. */
  forget(): void
}

type State = {
  fees: Fees
  /** So many questions find nobody. */
  silentFor: number
  /** Blocks come by themselves at every look. */
  mines: boolean
  confirmations: number
  /** Posts reach nobody. */
  deaf: boolean
  refuses: (claims: readonly Claim[]) => string | undefined
  from: Address
  minedMs: number
}

export function fakeChain(changes: Partial<State> = {}): FakeChain {
  const state: State = {
    fees: { baseFee: 10n ** 9n, tip: 1n, timeS: 0 },
    silentFor: 0,
    mines: true,
    confirmations: 1,
    deaf: false,
    refuses: () => undefined,
    from: device(200),
    minedMs: 1_000,
    ...changes,
  }
  const calls: Claim[][] = []
  const posts: Version[] = []
  const pool = new Map<number, Version>()
  let blocks: Version[][] = []
  let last: Claim[] = []
  const minedVersions = () => blocks.flat()

  function mine(): void {
    const block: Version[] = []
    for (;;) {
      const next = pool.get(minedVersions().length + block.length)
      if (next === undefined) break
      pool.delete(next.nonce)
      block.push(next)
    }
    blocks.push(block)
  }

  function fateOf({ versions }: Outgoing, others: readonly number[] = []): Fate {
    if (state.mines) mine()
    const hashes = versions.map(({ hash }) => hash)
    for (const [at, block] of blocks.entries()) {
      const found = block.find(({ hash }) => hashes.includes(hash))
      if (found === undefined) continue
      const deep = blocks.length - at >= state.confirmations
      return { state: deep ? 'deep' : 'mined', receipt: receiptOf(found, at) }
    }
    const count = minedVersions().length
    const nonces = versions.map(({ nonce }) => nonce)
    if (nonces.every((nonce) => nonce < count)) return { state: 'displaced' }
    const gap = count < Math.min(...nonces, ...others)
    return { state: 'waiting', ...(gap ? { gap: count } : {}) }
  }

  return {
    calls,
    posts,
    state,
    mine,
    takeBack() {
      blocks = blocks.slice(0, -1)
    },
    forget: () => pool.clear(),
    async fees() {
      state.silentFor -= 1
      if (state.silentFor >= 0) throw fault('CHAIN_UNREACHABLE', { rpc: 'there', why: 'no answer' })
      return state.fees
    },
    rouse() {},
    async claimCall(claims) {
      last = [...claims]
      return { to: device(100), data: '0x' }
    },
    settledIn: () => 1n,
    transactions: () => ({
      from: state.from,
      rules: { ...gasRules, maxFee: 10n ** 11n },
      limits: { minedMs: state.minedMs, pollMs: 1 } as never,
      async write(call, price, taken) {
        const why = state.refuses(last)
        if (why !== undefined) throw fault('CHAIN_REFUSED', { action: 'claim', why })
        calls.push(last)
        const nonce = Math.max(minedVersions().length, ...taken.map((one) => one + 1))
        return { ...call, gasLimit: 1n, versions: [signed(nonce, price)] }
      },
      rewrite: async (outgoing, price, nonce = outgoing.versions.at(-1)?.nonce ?? 0) => ({
        ...outgoing,
        versions: [...outgoing.versions, signed(nonce, price)],
      }),
      async post({ versions }) {
        const version = versions.at(-1) as Version
        posts.push(version)
        if (state.deaf) return 'nobody hears'
        if (version.nonce >= minedVersions().length) pool.set(version.nonce, version)
        return undefined
      },
      fate: async (outgoing, others) => fateOf(outgoing, others),
    }),
  }
}

let signatures = 0
function signed(nonce: number, price: Version['price']): Version {
  signatures += 1
  const hash: Hex = `0x${signatures.toString(16).padStart(64, '0')}`
  return { hash, raw: hash, nonce, price }
}

function receiptOf({ hash }: Version, block: number): Receipt {
  return { hash, blockHash: hash, block, ok: true, gas: 80_000n, logs: [] }
}
