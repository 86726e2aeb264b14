/**
 * What a device says of itself, function 43 with 0e (read device identification):
 *
 *   0e, code u8, conformity u8, more follows u8 (ff or 00), next object u8, objects u8,
 *   then id u8, bytes u8, text of each
 *
 * Source: MODBUS Application Protocol Specification V1.1b3 §6.21.
 */
import { frameSizeMax } from './request.ts'

export type Identification = {
  readonly function: 43
  readonly code: number
  readonly conformity: number
  /** The object to go on with, when more follow. */
  readonly next?: number
  readonly objects: readonly { readonly id: number; readonly text: Uint8Array }[]
}

/** The objects that the specification names, as fields for the bench. */
export const identityNames = [
  'vendor',
  'product_code',
  'revision',
  'vendor_url',
  'product',
  'model',
  'application',
] as const

/** Of the whole frame: 0 when none begins with these bytes, 'more' when it takes more to say. */
export function identificationSize(bytes: Uint8Array): number | 'more' {
  if (bytes.length > 2 && bytes[2] !== 14) return 0
  const objects = bytes[7]
  if (objects === undefined) return 'more'
  let at = 8
  for (let i = 0; i < objects; i += 1) {
    const length = bytes[at + 1]
    if (at + 4 > frameSizeMax) return 0
    if (length === undefined) return 'more'
    at += 2 + length
  }
  return at + 2 > frameSizeMax ? 0 : at + 2
}

/** What an intact frame of that size says. */
export function readIdentification(frame: Uint8Array): Identification {
  const [, , , code = 0, conformity = 0, more = 0, next = 0, many = 0] = frame
  const objects: { id: number; text: Uint8Array }[] = []
  for (let i = 0, at = 8; i < many; i += 1) {
    const [id = 0, length = 0] = frame.subarray(at)
    objects.push({ id, text: frame.slice(at + 2, at + 2 + length) })
    at += 2 + length
  }
  const head = { function: 43, code, conformity, objects } as const
  return more === 0xff ? { ...head, next } : head
}

export function identificationBytes(said: Identification): number[] {
  const { code, conformity, next, objects } = said
  const more = next === undefined ? [0, 0] : [0xff, next]
  const texts = objects.flatMap(({ id, text }) => [id, text.length, ...text])
  return [14, code, conformity, ...more, objects.length, ...texts]
}
