import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { sds011 } from '../../drivers/sds011.ts'
import { line } from '../../runtime/commands/decode.ts'
import { moments } from '../../runtime/sense/moment.ts'
import { doubts, hear, sayings, sentence } from '../drivers/bench.ts'

const good = Buffer.from('aac0d4043a0aa1601dab', 'hex')
const broken = Buffer.from('aac0d5043a0aa1601dab', 'hex')

test('a frame with a wrong checksum is a doubt, and unchecked values where checksums are overlooked', () => {
  assert.deepEqual(doubts(hear(sds011, broken)), ['bad checksum'])
  const [said, ...more] = sayings(hear(sds011, broken, {}, 'checksums'))
  assert.deepEqual([said?.values, said?.unchecked], [{ pm2_5: 123.7, pm10: 261.8 }, true])
  assert.deepEqual(more, [])
})

test('an intact frame is not unchecked even where checksums are overlooked', () => {
  const heard = hear(sds011, Uint8Array.of(...good, ...broken), {}, 'checksums')
  assert.deepEqual(
    sayings(heard).map(({ unchecked }) => unchecked),
    [undefined, true],
  )
})

test('only a checksum is overlooked: another flaw stays a doubt', () => {
  const unended = Buffer.from('aac0d5043a0aa1601dac', 'hex')
  assert.deepEqual(doubts(hear(sds011, unended, {}, 'checksums')), ['no end mark'])
})

test('decode and the reading say that values are unchecked, and of others nothing', () => {
  for (const [bytes, unchecked] of [
    [good, undefined],
    [broken, true],
  ] as const) {
    const [one] = hear(sds011, bytes, {}, 'checksums')
    assert.ok(one?.said.ok)
    assert.equal(JSON.parse(line(sds011, one)).values.unchecked, unchecked)
    const [moment] = moments<number>(sds011).push(one.said, 0)
    assert.equal(moment?.values.unchecked, unchecked)
  }
})

test('one sentence without a checksum makes its whole moment unchecked', () => {
  const rmc = sentence('GPRMC,104113,A,5327.0355,N,00214.4223,W,0.0,,060321,,')
  const gga = '$GPGGA,104113,5327.0355,N,00214.4223,W,1,05,8.68,65.4,M,48.5,M,,\r\n'
  const said = sayings(hear(nmea0183, rmc + gga, { checksum: 'optional' }))
  assert.deepEqual(
    said.map(({ unchecked }) => unchecked),
    [undefined, true],
  )
  const group = moments<number>(nmea0183)
  const ended = [...said.flatMap((one) => group.push(one, 0)), ...group.flush()]
  assert.deepEqual(
    ended.map(({ values }) => values.unchecked),
    [true],
  )
  assert.ok(nmea0183.fieldsWith?.({ checksum: 'optional' }).includes('unchecked'))
  assert.ok(!nmea0183.fieldsWith?.({ checksum: 'required' }).includes('unchecked'))
})
