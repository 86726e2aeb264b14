/**
 * A session: the sealed line between one buyer and one seller, over any broker.
 *
 *   order     01 ‖ session public key 32 ‖ enc 32 ‖ HPKE auth ciphertext of the order document
 *   request,  kind 1 ‖ session id 16 ‖ counter u64 ‖ nonce 12 ‖ AES-256-GCM(ciphertext ‖ tag)
 *   answer,
 *   keys
 *
 * Kinds: 02 request, buyer to seller; 03 answer, seller to buyer; 04 keys, seller to buyer,
 * retained. The AAD is every byte before `enc` or the nonce. The session id is the first 16 bytes
 * of SHA-256(session public key), the three keys are exported from the order's HPKE context, one
 * for each kind. Counters grow with each message of a kind; who receives holds them to it.
 */
import { gcmOpen, gcmSeal, sha256 } from '#crypto'
import { concat, hex, utf8 } from './bytes.ts'
import { encBytes, generateHpkeKey, type HpkeKey, receiveFrom, sendTo } from './hpke.ts'
import { Malformed, must } from './malformed.ts'

export type SessionKeys = {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** Buyer to seller. */
  readonly ask: Uint8Array
  /** Seller to buyer. */
  readonly answer: Uint8Array
  /** Seller to buyer, retained. */
  readonly keys: Uint8Array
}

export type MessageKind = 'request' | 'answer' | 'keys'

/** What a message says of itself, before any key is used; nothing of it is proven. */
export type Peek = {
  readonly kind: 'order' | MessageKind
  /** The session id as 32 hex digits, as it stands in topics. */
  readonly session: string
  /** 0 for an order. */
  readonly counter: bigint
}

/** The most that one message may be, in bytes. */
export const messageBytesMax = 1 << 20

/** The most that one order may be, in bytes. */
export const orderBytesMax = 16_384

/** A fresh X25519 pair: a buyer's for one session, or a seller's for its offer. */
export function generateSessionKey(): Promise<HpkeKey> {
  return generateHpkeKey()
}

/** The id of the session that has this public key, 16 bytes. */
export function sessionId(publicKey: Uint8Array): Uint8Array {
  return sha256(publicKey).slice(0, 16)
}

/** A session id as it stands in topics: 32 hex digits. */
export function sessionName(id: Uint8Array): string {
  return hex(id).slice(2)
}

/**
 * Seals the order's bytes to a seller's key, as the session key that the order names. Each sealing
 * gives other keys; keep the message and its keys together. Throws Malformed when `recipient` is no
 * key.
 */
export async function sealOrder(parts: {
  readonly order: Uint8Array
  readonly session: HpkeKey
  /** The X25519 key of the seller's signed offer. */
  readonly recipient: Uint8Array
}): Promise<{ readonly message: Uint8Array; readonly keys: SessionKeys }> {
  const { order, session, recipient } = parts
  const context = await sendTo(recipient, info, session)
  const head = concat(Uint8Array.of(codes.order), session.publicKey)
  const sealed = new Uint8Array(await context.seal(order, head))
  const message = concat(head, new Uint8Array(context.enc), sealed)
  return { message, keys: await exportKeys(context, session.publicKey) }
}

/**
 * Opens an order. Whoever sealed it holds the private key of `sessionKey`; compare that with the
 * order's. Throws Malformed.
 */
export async function openOrder(
  message: Uint8Array,
  recipient: HpkeKey,
): Promise<{
  readonly order: Uint8Array
  readonly sessionKey: Uint8Array
  readonly keys: SessionKeys
}> {
  must(message[0] === codes.order, 'order message: of another kind')
  must(message.length >= orderHead + encBytes + tagBytes, 'order message: too short')
  must(message.length <= orderBytesMax, 'order message: too long')
  const sessionKey = message.slice(1, orderHead)
  const enc = message.slice(orderHead, orderHead + encBytes)
  const context = await receiveFrom(enc, info, recipient, sessionKey)
  const sealed = message.slice(orderHead + encBytes)
  const order = await context.open(sealed, message.slice(0, orderHead)).catch((cause) => {
    throw new Malformed('order message: not sealed to this key by that session', cause)
  })
  return {
    order: new Uint8Array(order),
    sessionKey,
    keys: await exportKeys(context, sessionKey),
  }
}

/** `random` gives so many random bytes. */
export function sealMessage(
  kind: MessageKind,
  keys: SessionKeys,
  counter: bigint,
  plain: Uint8Array,
  random: (length: number) => Uint8Array,
): Uint8Array {
  const head = new Uint8Array(messageHead)
  head[0] = codes[kind]
  head.set(keys.id, 1)
  view(head).setBigUint64(17, counter)
  const nonce = random(nonceBytes)
  return concat(head, nonce, gcmSeal(keyOf(kind, keys), nonce, plain, head))
}

/**
 * Opens a message of that kind and session; undefined for every other and for every flipped bit.
 */
export function openMessage(
  message: Uint8Array,
  keys: SessionKeys,
  kind: MessageKind,
): { readonly counter: bigint; readonly plain: Uint8Array } | undefined {
  const peek = peekSession(message)
  if (peek?.kind !== kind || peek.session !== sessionName(keys.id)) return undefined
  const head = message.subarray(0, messageHead)
  const nonce = message.subarray(messageHead, messageHead + nonceBytes)
  const sealed = message.subarray(messageHead + nonceBytes)
  const plain = gcmOpen(keyOf(kind, keys), nonce, sealed, head)
  return plain === undefined ? undefined : { counter: peek.counter, plain }
}

/**
 * A look at the head, for dropping the unwanted before any key is used; undefined when it is none.
 */
export function peekSession(message: Uint8Array): Peek | undefined {
  if (message[0] === codes.order) {
    const fits =
      message.length >= orderHead + encBytes + tagBytes && message.length <= orderBytesMax
    if (!fits) return undefined
    const session = sessionName(sessionId(message.subarray(1, orderHead)))
    return { kind: 'order', session, counter: 0n }
  }
  const kind = messageKinds.find((name) => codes[name] === message[0])
  if (kind === undefined || message.length < messageHead + nonceBytes + tagBytes) return undefined
  if (message.length > messageBytesMax) return undefined
  const session = sessionName(message.subarray(1, 17))
  return { kind, session, counter: view(message).getBigUint64(17) }
}

const info = 'wayside/1 order'
const codes = { order: 1, request: 2, answer: 3, keys: 4 } as const
const messageKinds = ['request', 'answer', 'keys'] as const
const orderHead = 33
const messageHead = 25
const nonceBytes = 12
const tagBytes = 16

function keyOf(kind: MessageKind, keys: SessionKeys): Uint8Array {
  return kind === 'request' ? keys.ask : keys[kind]
}

type Exporter = { export(context: Uint8Array, length: number): Promise<ArrayBuffer> }

async function exportKeys(context: Exporter, publicKey: Uint8Array): Promise<SessionKeys> {
  const [ask, answer, keys] = await Promise.all(
    ['wayside/1 ask', 'wayside/1 answer', 'wayside/1 keys'].map(
      async (label) => new Uint8Array(await context.export(utf8(label), 32)),
    ),
  )
  const id = sessionId(publicKey)
  return { id, ask: ask as Uint8Array, answer: answer as Uint8Array, keys: keys as Uint8Array }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
