import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { build } from 'esbuild'
import { verifyTypedData } from 'ethers'
import { unhex } from '../../runtime/wire/bytes.ts'
import { decodeShape } from '../../runtime/wire/cborshape.ts'
import { decodeOrder, recoverOrder } from '../../runtime/wire/order.ts'
import { openOrder } from '../../runtime/wire/session.ts'
import { recoverSplit, splitShape } from '../../runtime/wire/split.ts'
import { decodeVoucher, recoverVoucher } from '../../runtime/wire/voucher.ts'
import { make } from '../vectors/money/make.ts'
import { buyer, rail } from '../vectors/money/sample.ts'
import type { Json } from '../vectors/money/vectors.ts'

const made = await make()

for (const name of Object.keys(made)) {
  test(`the golden vectors of ${name} still hold`, () => {
    assert.deepEqual(made[name], read(name))
  })
}

test('the web crypto file gives the same vectors', async () => {
  const entry = new URL('../vectors/money/vectors.ts', import.meta.url).pathname
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
  })
  const [file] = bundle.outputFiles
  assert.ok(file !== undefined && !/from\s*"node:/.test(file.text))
  const web = await import(
    `data:text/javascript;base64,${Buffer.from(file.contents).toString('base64')}`
  )
  const there: Record<string, Json> = await web.vectors()
  for (const [name, content] of Object.entries(there)) assert.deepEqual(content, read(name), name)
})

test('the golden voucher and split are signed by the buyer, as we and ethers see it', () => {
  const voucher = read('voucher') as { value: Record<string, string>; cbor: string }
  const split = read('split') as { cbor: string }
  assert.equal(recoverVoucher(decodeVoucher(unhex(voucher.cbor)), rail), buyer.address)
  assert.equal(
    recoverSplit(decodeShape(splitShape, unhex(split.cbor), 'split'), rail),
    buyer.address,
  )
  const { signature = '', ...message } = voucher.value
  const domain = {
    name: 'x402 Batch Settlement',
    version: '1',
    chainId: rail.chainId,
    verifyingContract: rail.settlement,
  }
  const types = {
    Voucher: [
      { name: 'channelId', type: 'bytes32' },
      { name: 'maxClaimableAmount', type: 'uint128' },
    ],
  }
  const signer = verifyTypedData(domain, types, message, signature)
  assert.equal(signer.toLowerCase(), buyer.address)
})

test('the golden sealed order opens, and is the document that the buyer signed', async () => {
  const vector = read('sealedorder') as Record<string, string> & {
    seller: { privateKey: string; publicKey: string }
  }
  const opened = await openOrder(unhex(vector.message as string), {
    privateKey: unhex(vector.seller.privateKey),
    publicKey: unhex(vector.seller.publicKey),
  })
  assert.deepEqual(opened.order, unhex(vector.document as string))
  assert.deepEqual(opened.keys.ask, unhex(vector.ask as string))
  assert.deepEqual(opened.keys.answer, unhex(vector.answer as string))
  assert.deepEqual(opened.keys.keys, unhex(vector.keys as string))
  assert.equal(recoverOrder(decodeOrder(opened.order).order), buyer.address)
})

function read(name: string): Json {
  const file = new URL(`../vectors/money/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8'))
}
