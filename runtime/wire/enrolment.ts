/**
 * The enrolment: the operator's word that this signing key speaks for this device. 133 bytes:
 *
 *   0 version 1 · 1 reserved · 2 u16 length 68 · 4 device 20 · 24 operator 20 · 44 signing key 20 ·
 *   64 u32 version of the enrolment · 68 signature r‖s‖v 65
 *
 * Signed by the operator over SHA-256("wayside/1 enrolment\0" ‖ the first 68 bytes).
 */
import { recover, sha256 } from '#crypto'
import { type Address, addressBytes, addressFrom } from './address.ts'
import { concat, utf8 } from './bytes.ts'
import { must } from './malformed.ts'

export type Enrolment = {
  readonly device: Address
  readonly operator: Address
  readonly signingKey: Address
  /** A higher one ends all lower. */
  readonly version: number
}

export const enrolmentSize = 133

export async function signEnrolment(
  enrolment: Enrolment,
  sign: (digest: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const body = new Uint8Array(bodySize)
  const view = new DataView(body.buffer)
  body[0] = 1
  view.setUint16(2, bodySize)
  body.set(addressBytes(enrolment.device), 4)
  body.set(addressBytes(enrolment.operator), 24)
  body.set(addressBytes(enrolment.signingKey), 44)
  view.setUint32(64, enrolment.version)
  return concat(body, await sign(digestOf(body)))
}

/** Reads an enrolment that the operator it names has signed. Throws Malformed. */
export function readEnrolment(bytes: Uint8Array): Enrolment {
  must(bytes.length === enrolmentSize, 'enrolment: not 133 bytes')
  const body = bytes.slice(0, bodySize)
  const view = new DataView(body.buffer)
  must(body[0] === 1, 'enrolment: not version 1')
  must(body[1] === 0 && view.getUint16(2) === bodySize, 'enrolment: reserved or length')
  const enrolment = {
    device: addressFrom(body.subarray(4, 24)),
    operator: addressFrom(body.subarray(24, 44)),
    signingKey: addressFrom(body.subarray(44, 64)),
    version: view.getUint32(64),
  }
  const signer = recover(digestOf(body), bytes.slice(bodySize))
  must(signer === enrolment.operator, 'enrolment: not signed by the operator that it names')
  return enrolment
}

function digestOf(body: Uint8Array): Uint8Array {
  return sha256(utf8('wayside/1 enrolment\0'), body)
}

const bodySize = 68
