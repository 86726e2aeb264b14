/** Claims as the contract takes them, and as the receiver's authorizer signs them. */
import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import { type ChannelConfig, type Rail, settlementDomain } from '../wire/channel.ts'
import type { Signer } from '../wire/signer.ts'
import { digestOf } from '../wire/typed.ts'
import type { Claim } from './money.ts'

/** One row of `claim`: VoucherClaim of contracts/src/IBatchSettlement.sol. */
export function claimRow(claim: Claim) {
  const { config, voucher } = claim
  return {
    voucher: { channel: plain(config), maxClaimableAmount: voucher.maxClaimableAmount },
    signature: voucher.signature,
    totalClaimed: claimedBy(claim),
  }
}

/** Whether this account is of the receiver's side in every row, and so needs no signature. */
export function mayClaim(claims: readonly Claim[], account: Address): boolean {
  return claims.every(({ config: { receiver, receiverAuthorizer } }) =>
    [receiver, receiverAuthorizer].includes(account),
  )
}

/** The authorizer's signature over all rows (ClaimBatch). */
export function signClaims(
  claims: readonly Claim[],
  { chainId, settlement }: Rail,
  authorizer: Signer,
): Promise<Uint8Array> {
  const entries = claims.map((claim) => ({
    channelId: claim.voucher.channelId,
    maxClaimableAmount: claim.voucher.maxClaimableAmount,
    totalClaimed: claimedBy(claim),
  }))
  const domain = settlementDomain({ chainId, settlement })
  return authorizer.sign(digestOf('ClaimBatch', { claims: entries }, domain))
}

/** A config in the spelling that goes into a call. */
export function plain(config: ChannelConfig) {
  return { ...config, salt: hex(config.salt) }
}

function claimedBy({ voucher, totalClaimed }: Claim): bigint {
  return totalClaimed ?? voucher.maxClaimableAmount
}
