import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoverAck } from '../../runtime/wire/ack.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { recoverGrant } from '../../runtime/wire/grant.ts'
import { recoverOrder } from '../../runtime/wire/order.ts'
import { recoverSplit } from '../../runtime/wire/split.ts'
import { recoverState } from '../../runtime/wire/state.ts'
import { recoverVoucher } from '../../runtime/wire/voucher.ts'
import * as bodies from '../vectors/money/bodies.ts'
import { buyer, device, operator, rail } from '../vectors/money/sample.ts'

const { ack, grant, split, state, voucher } = bodies
const { sold } = await bodies.orders(new Uint8Array(32).fill(4))

signed('voucher', voucher, buyer.address, (v) => recoverVoucher(v, rail))
signed('split', split, buyer.address, (v) => recoverSplit(v, rail))
signed('grant', grant, operator.address, recoverGrant)
signed('ack', ack, operator.address, recoverAck)
signed('state', state, device.address, recoverState)
signed('order', sold.order, buyer.address, recoverOrder)

test('a voucher of one chain or contract is nobody’s on another', () => {
  const elsewhere = [
    { ...rail, chainId: 1 },
    { ...rail, settlement: device.address },
  ]
  for (const other of elsewhere) assert.notEqual(recoverVoucher(voucher, other), buyer.address)
})

/** Every member counts: whichever is changed, the signature is no longer the signer's. */
function signed<T extends { readonly signature: Uint8Array }>(
  name: string,
  value: T,
  signer: Address,
  recover: (value: T) => Address | undefined,
): void {
  test(`a ${name} is its signer's, and with any member changed it is not`, () => {
    assert.equal(recover(value), signer)
    for (const [member, held] of Object.entries(value)) {
      assert.notEqual(recover({ ...value, [member]: changed(held) }), signer, member)
    }
  })
}

function changed(value: unknown): unknown {
  if (typeof value === 'bigint') return value + 1n
  if (typeof value === 'number') return value + 1
  if (typeof value === 'string') return `0x${'99'.repeat(20)}`
  if (Array.isArray(value)) return value.slice(1)
  const bytes = Uint8Array.from(value as Uint8Array)
  bytes[3] = (bytes[3] ?? 0) ^ 1
  return bytes
}
