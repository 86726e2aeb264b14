/**
 * What a piece of evidence proves, in words and as data. Shared by `wayside verify` and the page that does
 * the same in a browser; needs no network and no clock.
 */
import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import { checkEvidence, type Proof } from '../wire/evidence.ts'
import { encodeHeader, headerHash } from '../wire/header.ts'
import { Malformed } from '../wire/malformed.ts'
import { unitOf, type Value } from '../wire/reading.ts'
import { readingFields } from './lines.ts'

export type Judgement =
  | { readonly ok: true; readonly proof: Proof; readonly sentences: readonly string[] }
  | { readonly ok: false; readonly why: string }

/** Checks evidence; with `operator`, only what that operator vouches for holds. */
export function judge(evidence: Uint8Array, operator?: Address): Judgement {
  try {
    const proof = checkEvidence(evidence)
    if (operator !== undefined && proof.enrolment?.operator !== operator) {
      const named = proof.enrolment?.operator ?? 'nobody'
      return { ok: false, why: `enrolled by ${named}, not by operator ${operator}` }
    }
    return { ok: true, proof, sentences: sentences(proof) }
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, why: error.message }
    throw error
  }
}

/** The judgement as a JSON-shaped object. */
export function judgementFields(judgement: Judgement) {
  if (!judgement.ok) return judgement
  const { header, signer, enrolment, device, index, reading } = judgement.proof
  const { generation, number: epoch } = header
  return {
    ok: true,
    ...readingFields({ device, generation, epoch, index, reading }),
    clock: header.clock,
    signer,
    operator: enrolment?.operator ?? null,
    enrolmentVersion: enrolment?.version ?? null,
    header: hex(headerHash(encodeHeader(header))),
    terms: hex(header.terms),
    setup: hex(header.setup),
  }
}

function sentences({ reading, header, signer, device, enrolment, index }: Proof): string[] {
  const values = Object.entries(reading.values).map(([name, value]) => {
    const unit = unitOf(reading, name)
    return `${name} ${spell(value)}${unit === undefined ? '' : ` ${unit}`}`
  })
  const when =
    reading.wallMs === undefined
      ? `${reading.monotonicMs} ms after boot ${reading.boot}, its clock unset`
      : `${new Date(reading.wallMs).toISOString()}, by a clock that was ${header.clock}`
  const subject = reading.subject === undefined ? '' : ` of ${reading.subject}`
  return [
    `${reading.stream}${subject}: ${values.join(', ')}`,
    `taken ${when}`,
    `reading ${index} of ${header.count} in epoch ${header.number}, generation ${header.generation}`,
    enrolment === undefined
      ? `signed by ${signer}, the first key of device ${device}; no operator vouches for it`
      : `signed by ${signer}, whom operator ${enrolment.operator} enrolled as device ${device}`,
  ]
}

function spell(value: Value): string {
  return value instanceof Uint8Array ? hex(value) : String(value)
}
