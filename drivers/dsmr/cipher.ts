/**
 * The encrypted telegram of Luxembourg (Smarty) and of others since: DLMS "general-glo-ciphering".
 *
 *   0   db             start
 *   1   08             length of the title
 *   2   8 bytes        system title of the meter
 *   10  81 / 82 …      length of all that follows, in one or two bytes; below 128 by itself
 *       30             encrypted and authenticated; 20 only encrypted, without a tag
 *       u32            frame counter
 *       …              AES-128-GCM of the telegram, from / to its CRC and line end
 *       12 bytes       tag
 *
 * Nonce: system title and frame counter. Authenticated beside it: 30 and the authentication key, which is the
 * same for everybody unless the operator says another. Without a tag only the CRC of the telegram inside says
 * that the key was right. Source: Smarty "P1 Port Specification" (Luxmetering); DLMS UA Green Book, "security
 * control byte".
 */
import { openGcm, openUntagged } from '../../runtime/sense/driver.ts'

export const sealedStart = 0xdb
const titleBytes = 8
const encrypted = 0x20
const encryptedAndSigned = 0x30
const tagBytes = 12
const counterBytes = 4
export const sealedMax = 8192
/** The authentication key that Luxembourg publishes. */
const publicKey = '00112233445566778899AABBCCDDEEFF'

/** The size of a frame by its head; 0 where none begins. */
export function sealedSize(bytes: Uint8Array): number | 'more' {
  const head = headOf(bytes)
  if (head === undefined) return bytes.length < 15 && couldBegin(bytes) ? 'more' : 0
  // A length that no telegram has is none to wait for.
  return head.end > bytes.length && head.end <= sealedMax ? 'more' : head.end
}

/**
 * What is inside, and what the tag says of it. Without a tag, or against it, anything may come out: only a
 * check of its own then tells that the key was right. Undefined when this is no frame.
 */
export function unseal(
  frame: Uint8Array,
  keys: { readonly key: string; readonly authentication?: string },
): Opened | undefined {
  const head = headOf(frame)
  if (head === undefined) return undefined
  const { body, end, tag } = head
  const from = body + 1 + counterBytes
  const key = unhex(keys.key)
  const nonce = Uint8Array.of(
    ...frame.subarray(2, 2 + titleBytes),
    ...frame.subarray(body + 1, from),
  )
  const cipher = frame.subarray(from, end - tag)
  const authenticated =
    tag === 0
      ? undefined
      : openGcm({
          ...{ key, nonce, cipher, tag: frame.subarray(end - tag, end) },
          beside: Uint8Array.of(encryptedAndSigned, ...unhex(keys.authentication ?? publicKey)),
        })
  return {
    inside: authenticated ?? openUntagged({ key, nonce, cipher }),
    tag: tag === 0 ? 'none' : authenticated === undefined ? 'wrong' : 'right',
  }
}

export type Opened = {
  readonly inside: Uint8Array
  readonly tag: 'right' | 'wrong' | 'none'
}

type Head = {
  /** Where the security byte is, where the frame ends, and the size of its tag. */
  readonly body: number
  readonly end: number
  readonly tag: number
}

/** Undefined when this is no head, or not all of one. */
function headOf(bytes: Uint8Array): Head | undefined {
  const [, , , , , , , , , , first = 0, second = 0, third = 0] = bytes
  const [length, body] =
    first === 0x82 ? [second * 256 + third, 13] : first === 0x81 ? [second, 12] : [first, 11]
  if (bytes.length <= body || !couldBegin(bytes) || first === 0x80 || first > 0x82) return undefined
  const security = bytes[body]
  if (security !== encrypted && security !== encryptedAndSigned) return undefined
  const tag = security === encrypted ? 0 : tagBytes
  return length <= 1 + counterBytes + tag ? undefined : { body, end: body + length, tag }
}

function couldBegin(bytes: Uint8Array): boolean {
  return bytes.length < 2 || bytes[1] === titleBytes
}

function unhex(digits: string): Uint8Array {
  const pairs = digits.replace(/^0x/, '').match(/../g) ?? []
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16))
}
