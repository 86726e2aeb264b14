/** The offer: what a device sells, for how much, on which rails, and how to reach it. Signed, retained. */
import { z } from 'zod'
import type { Address } from './address.ts'
import { type Hex, unhex } from './bytes.ts'
import { type Enrolment, readEnrolment } from './enrolment.ts'
import { address, hash, members, shaped, uint32 } from './fields.ts'
import type { Json } from './jcs.ts'
import { must } from './malformed.ts'
import { readDocument } from './signed.ts'
import { termsSchema } from './terms.ts'

/** A payment rail that the seller takes: one token on one chain, through one settlement contract. */
const railSchema = members({
  chainId: z.number().int().positive(),
  settlement: address,
  /** EIP-3009 deposit collector. */
  collector: address,
  /** Permit2 deposit collector, for tokens without EIP-3009. */
  permit2Collector: address.optional(),
  token: address,
  /** Name and version of the token's own EIP-712 domain. */
  tokenName: z.string().max(100),
  tokenVersion: z.string().max(20),
  decimals: z.number().int().min(0).max(36),
})

const offerSchema = members({
  /** Only grows. */
  version: uint32,
  /** The device, or the operator in a gateway's own offer. */
  device: address,
  operator: address,
  /** The key that signs headers and documents; the enrolment says that it may. */
  signingKey: address,
  /** X25519 public key to which Orders are sealed. */
  hpke: hash,
  /** Where the money goes (a channel's receiver). */
  receiver: address,
  /** Who signs grants, acks and claims (a channel's receiverAuthorizer). */
  gateway: address,
  rails: z.array(railSchema).max(16),
  withdrawDelayMinS: z.number().int().min(0).max(0xff_ffff_ffff),
  streams: z.array(termsSchema).max(256),
  enrolment: z
    .custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{266}$/.test(value))
    .optional(),
})

export type OfferedRail = z.infer<typeof railSchema>
export type Offer = z.infer<typeof offerSchema>

export type SignedOffer = {
  readonly offer: Offer
  readonly signer: Address
  readonly enrolment?: Enrolment
}

/**
 * Reads an offer and checks what needs no trust: it is signed by the key it names; its enrolment, if any,
 * is of this device, operator and key. Throws Malformed.
 */
export function readOffer(payload: Uint8Array): SignedOffer {
  const { document, signer } = readDocument('offer', payload)
  const offer = parseOffer(document)
  must(signer === offer.signingKey, 'offer: not signed by the key that it names')
  const names = new Set(offer.streams.map(({ stream }) => stream))
  must(names.size === offer.streams.length, 'offer: a stream twice')
  if (offer.enrolment === undefined) {
    must(offer.signingKey === offer.device, 'offer: signed by a key that nobody enrolled')
    return { offer, signer }
  }
  const enrolment = readEnrolment(unhex(offer.enrolment))
  must(
    enrolment.device === offer.device &&
      enrolment.operator === offer.operator &&
      enrolment.signingKey === offer.signingKey,
    'offer: its enrolment is of another device, operator or key',
  )
  return { offer, signer, enrolment }
}

function parseOffer(document: Json): Offer {
  return shaped(offerSchema, document, 'offer')
}
