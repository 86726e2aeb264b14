import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, unhex } from '../../runtime/wire/bytes.ts'
import { generateHpkeKey } from '../../runtime/wire/hpke.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'
import { openSold, sealSold } from '../../runtime/wire/sold.ts'
import { payment } from '../vectors/money/bodies.ts'
import { buyer, device } from '../vectors/money/sample.ts'

const gateway = await generateHpkeKey()
const golden = JSON.parse(
  readFileSync(new URL('../vectors/money/sold.json', import.meta.url), 'utf8'),
)

test('the gateway opens what a device has sold', async () => {
  const message = await sealSold([payment], device.address, gateway.publicKey)
  assert.deepEqual(await openSold(message, device.address, gateway), [payment])
  const nothing = await sealSold([], device.address, gateway.publicKey)
  assert.deepEqual(await openSold(nothing, device.address, gateway), [])
})

test('the committed one opens, which another hand has sealed', async () => {
  const { message, gateway } = golden
  const pair = { publicKey: unhex(gateway.publicKey), privateKey: unhex(gateway.privateKey) }
  assert.deepEqual(await openSold(unhex(message), device.address, pair), [payment])
})

test('nobody else opens it, nor as the word of another device', async () => {
  const message = await sealSold([payment], device.address, gateway.publicKey)
  await assert.rejects(openSold(message, device.address, await generateHpkeKey()), Malformed)
  await assert.rejects(openSold(message, buyer.address, gateway), Malformed)
})

test('a device that mixes two promises is stopped by a bug, not believed', async () => {
  const other = { ...payment.voucher, maxClaimableAmount: 1n }
  const mixed = { ...payment, voucher: other }
  await assert.rejects(sealSold([mixed], device.address, gateway.publicKey), RangeError)
})

test('bytes that nobody sealed are Malformed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(6), fc.uint8Array({ maxLength: 200 }), async (code, bytes) => {
      const message = concat(Uint8Array.of(code), bytes)
      await assert.rejects(openSold(message, device.address, gateway), Malformed)
    }),
    { numRuns: 40 },
  )
})
