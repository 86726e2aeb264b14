/** The offer: what a device sells, for how much, on which rails, and how to reach it. Signed, retained. */
import { z } from 'zod'
import type { Address } from './address.ts'
import { type Hex, unhex } from './bytes.ts'
import { type Enrolment, readEnrolment } from './enrolment.ts'
import { address, hash, members, shaped, uint32 } from './fields.ts'
import type { Json } from './jcs.ts'
import { Malformed, must } from './malformed.ts'
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

/** Of how many entries a list of the offer may be. */
const lists = { stream: { name: 'streams', max: 256 }, rail: { name: 'rails', max: 16 } } as const

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
  rails: z.array(railSchema).max(lists.rail.max),
  withdrawDelayMinS: z.number().int().min(0).max(0xff_ffff_ffff),
  streams: z.array(termsSchema).max(lists.stream.max),
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
  /** Streams and rails of a later version: they are not in `offer`. Each with what is not known of it. */
  readonly leftOut: readonly LeftOut[]
}

/** An entry that says something this version does not know. */
export type LeftOut = {
  readonly of: 'stream' | 'rail'
  readonly name: string
  readonly why: string
}

/**
 * Reads an offer and checks what needs no trust: it is signed by the key it names; its enrolment, if any,
 * is of this device, operator and key. A stream or a rail that says what this version does not know (a unit
 * of a newer table) is left out and named; an offer of which nothing is left so is refused. Throws Malformed.
 */
export function readOffer(payload: Uint8Array): SignedOffer {
  const { document, signer } = readDocument('offer', payload)
  const { known, leftOut } = sift(document)
  const offer = shaped(offerSchema, known, 'offer')
  must(signer === offer.signingKey, 'offer: not signed by the key that it names')
  const names = [...offer.streams.map(({ stream }) => stream), ...streamsIn(leftOut)]
  must(new Set(names).size === names.length, 'offer: a stream twice')
  if (offer.enrolment === undefined) {
    must(offer.signingKey === offer.device, 'offer: signed by a key that nobody enrolled')
    return { offer, signer, leftOut }
  }
  const enrolment = readEnrolment(unhex(offer.enrolment))
  must(
    enrolment.device === offer.device &&
      enrolment.operator === offer.operator &&
      enrolment.signingKey === offer.signingKey,
    'offer: its enrolment is of another device, operator or key',
  )
  return { offer, signer, enrolment, leftOut }
}

/** The document without the entries that this version does not understand, and those. */
function sift(document: Json): { readonly known: Json; readonly leftOut: readonly LeftOut[] } {
  if (!isObject(document)) return { known: document, leftOut: [] }
  const streams = siftList('stream', document.streams, termsSchema)
  const rails = siftList('rail', document.rails, railSchema)
  const known = { ...document, ...streams.known, ...rails.known }
  return { known, leftOut: [...streams.leftOut, ...rails.leftOut] }
}

function siftList(of: 'stream' | 'rail', list: Json | undefined, schema: z.ZodType) {
  const { name, max } = lists[of]
  const whole = { known: {}, leftOut: [] as LeftOut[] }
  // A list that is too long, or none at all, is for the schema of the offer to refuse.
  if (!Array.isArray(list) || list.length > max) return whole
  const leftOut: LeftOut[] = []
  const known: Json[] = []
  for (const entry of list) {
    const why = whyNot(schema, entry)
    if (why === undefined) known.push(entry)
    else leftOut.push({ of, name: nameIn(of, entry), why })
  }
  return known.length === 0 ? whole : { known: { [name]: known }, leftOut }
}

/** Which of its members is not known, and the rule; undefined when all are. */
function whyNot(schema: z.ZodType, entry: Json): string | undefined {
  try {
    shaped(schema, entry, '')
    return undefined
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return error.message.trim()
  }
}

/** What an entry calls itself, if it is a name; shown to people. */
function nameIn(of: 'stream' | 'rail', entry: Json): string {
  if (!isObject(entry)) return ''
  const { stream, tokenName } = entry
  const name = of === 'stream' ? stream : tokenName
  return typeof name === 'string' ? name.slice(0, 100) : ''
}

function streamsIn(leftOut: readonly LeftOut[]): string[] {
  return leftOut.flatMap(({ of, name }) => (of === 'stream' && name !== '' ? [name] : []))
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
