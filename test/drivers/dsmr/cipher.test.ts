import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { dsmr } from '../../../drivers/dsmr/index.ts'
import { openGcm } from '../../../runtime/sense/gcm.ts'
import { capture, doubts, hear, sayings } from '../bench.ts'

const key = '0123456789abcdef0123456789abcdef'
const publicKey = '00112233445566778899aabbccddeeff'
const title = Buffer.from('53414731000000ff', 'hex')
const plain = Buffer.from(capture('dsmr/TELEGRAM_V5.txt'))
const frame = sealed(plain, 7)

function sealed(telegram: Uint8Array, count: number, authentication = publicKey): Uint8Array {
  const counter = Buffer.alloc(4)
  counter.writeUInt32BE(count)
  const nonce = Buffer.concat([title, counter])
  const cipher = createCipheriv('aes-128-gcm', Buffer.from(key, 'hex'), nonce, {
    authTagLength: 12,
  })
  cipher.setAAD(Buffer.from(`30${authentication}`, 'hex'))
  const text = Buffer.concat([cipher.update(telegram), cipher.final()])
  const body = Buffer.concat([Buffer.of(0x30), counter, text, cipher.getAuthTag()])
  const size = body.length
  const length = size > 255 ? [0x82, size >> 8, size & 255] : size > 127 ? [0x81, size] : [size]
  return Uint8Array.of(0xdb, 8, ...title, ...length, ...body)
}

test('AES-128-GCM opens what was sealed, and nothing with one bit changed', () => {
  const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
  fc.assert(
    fc.property(
      bytes(16),
      bytes(12),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(),
      (secret, nonce, beside, text, flip) => {
        const cipher = createCipheriv('aes-128-gcm', secret, nonce, { authTagLength: 12 })
        cipher.setAAD(beside)
        const given = new Uint8Array(Buffer.concat([cipher.update(text), cipher.final()]))
        const tag = new Uint8Array(cipher.getAuthTag())
        const opened = openGcm({ key: secret, nonce, beside, cipher: given, tag })
        assert.deepEqual(opened, text)
        const at = flip % (given.length + tag.length)
        const part = at < given.length ? given : tag
        const i = at < given.length ? at : at - given.length
        part[i] = (part[i] ?? 0) ^ (1 << (flip % 8))
        assert.equal(openGcm({ key: secret, nonce, beside, cipher: given, tag }), undefined)
      },
    ),
    { numRuns: 60 },
  )
})

test('a sealed telegram is opened by its key, and by no other', () => {
  const said = sayings(hear(dsmr, Uint8Array.of(...frame, ...frame), { key }))
  const clear = sayings(hear(dsmr, plain))
  assert.deepEqual(said, [...clear, ...clear])
  assert.deepEqual(doubts(hear(dsmr, frame)), ['encrypted: option key'])
  assert.deepEqual(doubts(hear(dsmr, frame, { key: publicKey })), ['not opened by this key'])
  const own = { key, authkey: 'ffffffffffffffffffffffffffffffff' }
  assert.deepEqual(doubts(hear(dsmr, frame, own)), ['wrong tag: option authkey'])
  assert.deepEqual(sayings(hear(dsmr, sealed(plain, 8, own.authkey), own)), clear)
})

test('a short one is read by its short length, and one that holds no telegram is a doubt', () => {
  const short = Buffer.from('/XXX5m\r\n\r\n1-0:1.7.0(00.1*kW)\r\n!\r\n')
  assert.equal(sayings(hear(dsmr, sealed(short, 1), { key }))[0]?.values['1-0:1.7.0'], 0.1)
  const longer = Buffer.from(
    short.toString().replace('!', '1-0:2.7.0(00.2*kW)\r\n'.repeat(6).concat('!')),
  )
  assert.ok(longer.length > 127 && longer.length < 255 - 17)
  assert.equal(sayings(hear(dsmr, sealed(longer, 1), { key })).length, 1)
  assert.deepEqual(doubts(hear(dsmr, sealed(Buffer.from('nothing'), 1), { key })), [
    'no telegram inside',
  ])
})

test('a frame without a tag is read by the CRC inside, and marked', () => {
  const [clear] = sayings(hear(dsmr, plain))
  const bare = untagged(plain)
  assert.deepEqual(sayings(hear(dsmr, bare, { key })), [{ ...clear, unchecked: true }])
  assert.deepEqual(doubts(hear(dsmr, bare, { key: publicKey })), ['not opened by this key'])
  const old = Buffer.from('/XXX5m\r\n\r\n1-0:1.7.0(00.1*kW)\r\n!\r\n')
  assert.deepEqual(doubts(hear(dsmr, untagged(old), { key })), ['not opened by this key'])
  const broken = Buffer.from(plain)
  broken[40] = (broken[40] ?? 0) ^ 1
  assert.deepEqual(doubts(hear(dsmr, untagged(broken), { key })), ['not opened by this key'])
})

/** As sealed, with the security byte 20 and no tag. */
function untagged(telegram: Uint8Array): Uint8Array {
  const whole = sealed(telegram, 7)
  const body = whole.subarray(whole.length - telegram.length - 17, -12)
  const at = [0x82, body.length >> 8, body.length & 255]
  return Uint8Array.of(...whole.subarray(0, 10), ...at, 0x20, ...body.subarray(1))
}

test('no flipped bit of a sealed telegram makes a reading, but that which says that it has no tag', () => {
  const [clear] = sayings(hear(dsmr, plain))
  const untagging = { at: 13, bit: 1 << 4 }
  assert.equal(frame[untagging.at], 0x30)
  fc.assert(
    fc.property(fc.nat(8 * frame.length - 1), (bit) => {
      const changed = frame.slice()
      const [at, mask] = [bit >> 3, 1 << (bit & 7)]
      changed[at] = (changed[at] ?? 0) ^ mask
      const isUntagged = at === untagging.at && mask === untagging.bit
      const expected = isUntagged ? [{ ...clear, unchecked: true }] : []
      assert.deepEqual(sayings(hear(dsmr, changed, { key })), expected)
    }),
    { numRuns: 60, examples: [[8 * untagging.at + 4]] },
  )
})
