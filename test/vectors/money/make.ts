/**
 * Writes the golden vectors of the money side beside this file: `node test/vectors/money/make.ts`.
 * What is written once must verify for ever: run it to add a vector, and look hard at any that
 * changes.
 */
import { writeFileSync } from 'node:fs'
import { addressBytes } from '../../../runtime/wire/address.ts'
import { concat, utf8 } from '../../../runtime/wire/bytes.ts'
import { encodeCbor } from '../../../runtime/wire/cbor.ts'
import { encodeOrder } from '../../../runtime/wire/order.ts'
import { paymentShape } from '../../../runtime/wire/payment.ts'
import { publicOf, setupSender } from '../hpke/rfc9180.ts'
import { orders, payment } from './bodies.ts'
import { paymentsVector } from './payments.ts'
import { device, secrets } from './sample.ts'
import { type Json, show, vectors } from './vectors.ts'

/**
 * All files; what is sealed needs HPKE with a fixed ephemeral key, which only the reference takes.
 */
export async function make(): Promise<Readonly<Record<string, Json>>> {
  return {
    ...(await vectors()),
    payments: show(await paymentsVector()),
    sealedorder: show(await sealedOrder()),
    sold: show(sold()),
  }
}

async function sealedOrder() {
  const session = publicOf(secrets.session)
  const { sold } = await orders(session)
  const document = encodeOrder(sold)
  const context = setupSender({
    aeadId: 2,
    info: utf8('wayside/1 order'),
    skE: secrets.ephemeral,
    pkR: publicOf(secrets.seller),
    skS: secrets.session,
  })
  const head = concat(Uint8Array.of(1), session)
  return {
    session: { privateKey: secrets.session, publicKey: session },
    seller: { privateKey: secrets.seller, publicKey: publicOf(secrets.seller) },
    ephemeral: secrets.ephemeral,
    document,
    message: concat(head, context.enc, context.seal(document, head)),
    ask: context.export(utf8('wayside/1 ask'), 32),
    answer: context.export(utf8('wayside/1 answer'), 32),
    keys: context.export(utf8('wayside/1 keys'), 32),
  }
}

/** What a device has sold, sealed to its gateway: no sender's key. */
function sold() {
  const gateway = { privateKey: secrets.seller, publicKey: publicOf(secrets.seller) }
  const context = setupSender({
    aeadId: 2,
    info: utf8('wayside/1 sold'),
    skE: secrets.ephemeral,
    pkR: gateway.publicKey,
  })
  const code = Uint8Array.of(5)
  const plain = encodeCbor([paymentShape.write(payment)])
  const box = context.seal(plain, concat(code, addressBytes(device.address)))
  const message = concat(code, context.enc, box)
  return { gateway, device: device.address, payments: [payment], message }
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(await make())) {
    const file = new URL(`${name}.json`, import.meta.url)
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
  }
}
