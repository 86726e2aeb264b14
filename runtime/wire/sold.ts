/**
 * What a device has sold, for its gateway, retained: the newest payment of every channel. With it
 * the operator can claim for what a buyer promised, even when that buyer never comes to the
 * gateway.
 *
 *   05 ‖ enc 32 ‖ HPKE base ciphertext      info "wayside/1 sold", AAD = 05 ‖ device
 *
 * Sealed without a sender's key: the payments in it carry the buyer's own signatures.
 */
import { type Address, addressBytes } from './address.ts'
import { concat } from './bytes.ts'
import { decodeShape, encodeShape, list, type Shape } from './cborshape.ts'
import { encBytes, type HpkeKey, receiveFrom, sendTo } from './hpke.ts'
import { Malformed, must } from './malformed.ts'
import { type Payment, paymentShape } from './payment.ts'

/** Channels in one message. */
export const soldMax = 512

/**
 * `recipient` is the X25519 key of the gateway's signed offer. Throws Malformed when it is none.
 */
export async function sealSold(
  payments: readonly Payment[],
  device: Address,
  recipient: Uint8Array,
): Promise<Uint8Array> {
  const context = await sendTo(recipient, info)
  const sealed = await context.seal(encodeShape(soldShape, payments), aad(device))
  return concat(code, new Uint8Array(context.enc), new Uint8Array(sealed))
}

/**
 * Opens what `device` published. Throws Malformed; whether each payment holds is still to be
 * checked.
 */
export async function openSold(
  message: Uint8Array,
  device: Address,
  recipient: HpkeKey,
): Promise<readonly Payment[]> {
  must(message[0] === code[0] && message.length > 1 + encBytes, 'sold: of another kind')
  const context = await receiveFrom(message.slice(1, 1 + encBytes), info, recipient)
  const plain = await context.open(message.slice(1 + encBytes), aad(device)).catch((cause) => {
    throw new Malformed('sold: not sealed to this gateway by that device', cause)
  })
  return decodeShape(soldShape, new Uint8Array(plain), 'sold')
}

const info = 'wayside/1 sold'
const code = Uint8Array.of(5)
const soldShape: Shape<readonly Payment[]> = list(paymentShape, soldMax)

function aad(device: Address): Uint8Array {
  return concat(code, addressBytes(device))
}
