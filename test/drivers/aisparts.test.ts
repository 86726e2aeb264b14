import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ais } from '../../drivers/ais/index.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { report, sealed, voyage } from './aisbits.ts'
import { capture, doubts, hear, sayings } from './bench.ts'

const only = (text: string) => sayings(hear(ais, text))[0]

test('a message in two parts is read in either order, among those of others', () => {
  const [one = '', two = ''] = new TextDecoder().decode(capture('families/ais.txt')).split('\n')
  const [other = '', rest = ''] = new TextDecoder()
    .decode(capture('ais/pyais-ais_test_messages'))
    .split('\n')
    .filter((line) => line.startsWith('!AIVDM,2'))
  for (const order of [
    [one, two, other, rest],
    [two, one, rest, other],
    [one, other, two, rest],
    [two, other, one, rest],
  ]) {
    const names = sayings(hear(ais, `${order.join('\r\n')}\r\n`)).map(
      ({ values }) => values.shipname,
    )
    assert.deepEqual(names.toSorted(), ['EVER DIADEM', 'SEA HAWK'].toSorted())
  }
})

test('parts that are never completed are given up, counted, and never joined with later ones', () => {
  const [first = ''] = voyage(227000001, '3')
  const [, last = ''] = voyage(227000002, '3')
  const gap = report().repeat(40)
  const heard = hear(ais, first + gap + last)
  assert.ok(sayings(heard).every(({ values }) => values.type === 1))
  assert.deepEqual(doubts(heard), ['part of a message is missing'])
  // A first part again, before the second came: the newer one counts.
  const again = hear(ais, first + voyage(227000002, '3').join(''))
  assert.deepEqual(
    sayings(again).map(({ subject }) => subject),
    ['227000002'],
  )
  assert.deepEqual(doubts(again), ['part of a message is missing'])
})

test('any number of unfinished messages is held within bounds', () => {
  const work = decoder(ais, readOptions(ais))
  let lost = 0
  for (let n = 0; n < 500; n += 1) {
    const body = `AIVDM,9,${(n % 8) + 1},${n % 10},${'ABCD'[n % 4]},${'w'.repeat(60)},0`
    const heard = work.push(
      new TextEncoder().encode(sealed(`${body.replace('AIVDM', `${10 + (n % 80)}VDM`)}`)),
    )
    lost += heard.length
  }
  assert.ok(lost > 100)
})

test('parts in any order, dealt among complete messages, give every message once', () => {
  const four = [1, 2, 3, 4].map((n) => voyage(227000000 + n, String(n)))
  const all = [...four.flat(), report()]
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (dealt) => {
      const subjects = sayings(hear(ais, dealt.join(''))).map(({ subject }) => subject)
      assert.deepEqual(subjects.toSorted(), [
        ...['227000001', '227000002', '227000003', '227000004', '227006760'],
      ])
    }),
  )
})

test('a tag block tells when, one with a wrong check is a doubt and its sentence is read', () => {
  const plain = '!SAVDM,1,1,,A,15MrVH0000KH<:V:NtBLoqFP2H9:,0'
  const [sentence = ''] = [sealed(plain.slice(1))]
  const tag = (body: string) => `${sealed(body, '\\').trimEnd()}\\`
  assert.equal(only(tag('s:b003669710,c:1428621738') + sentence)?.time, '2015-04-09T23:22:18Z')
  assert.equal(only(tag('c:1428621738250,n:1') + sentence)?.time, '2015-04-09T23:22:18.250Z')
  assert.equal(only(tag('s:rORBCOMM000') + sentence)?.time, undefined)
  assert.equal(only(tag('s:mast,c:0002780328') + sentence)?.time, undefined)
  const wrong = hear(ais, tag('c:1428621738').replace('1428621738', '1428621739') + sentence)
  assert.deepEqual(doubts(wrong), ['bad checksum'])
  assert.deepEqual(
    sayings(wrong).map(({ time, subject }) => [time, subject]),
    [[undefined, '366913120']],
  )
})

test('the group of a tag block keeps apart what has the same sequence number', () => {
  const tagged = (group: number, text: string, n: number) =>
    `${sealed(`g:${n}-2-${group}`, '\\').trimEnd()}\\${text}`
  const [a1 = '', a2 = ''] = voyage(227000001, '3')
  const [b1 = '', b2 = ''] = voyage(227000002, '3')
  const log = tagged(7, a1, 1) + tagged(8, b1, 1) + tagged(8, b2, 2) + tagged(7, a2, 2)
  const subjects = sayings(hear(ais, log)).map(({ subject }) => subject)
  assert.deepEqual(subjects, ['227000002', '227000001'])
  const short = log.replaceAll(/\\g:(\d)-2-(\d)\*..\\/g, (_, n, group) => {
    return `${sealed(`${n}G2:${group}`, '\\').trimEnd()}\\`
  })
  assert.equal(sayings(hear(ais, short)).length, 2)
  assert.ok(short.includes('\\1G2:7*'))
})

test('a part that names no channel is of the one message that it can be of', () => {
  const muted = (text: string) => sealed(text.slice(1).trimEnd().slice(0, -3).replace(',A,', ',,'))
  const [a1 = '', a2 = ''] = voyage(227000001, '3')
  const [b1 = '', b2 = ''] = voyage(227000002, '3').map((text) =>
    sealed(text.slice(1).trimEnd().slice(0, -3).replace(',A,', ',B,')),
  )
  const heard = sayings(hear(ais, a1 + muted(a2)))
  assert.deepEqual(
    heard.map(({ subject, values }) => [subject, values.channel]),
    [['227000001', 'A']],
  )
  assert.equal(sayings(hear(ais, muted(a2) + a1))[0]?.values.channel, 'A')
  // Of two that it may be of, it is of neither.
  const unsure = hear(ais, a1 + b1 + muted(a2) + b2 + a2)
  assert.deepEqual(
    sayings(unsure).map(({ subject }) => subject),
    ['227000002', '227000001'],
  )
})

test('one flipped bit never changes a reading, and the bytes may be dealt in any way', () => {
  const log = capture('ais/pyais-mixed.txt').subarray(0, 700)
  const truth = new Set(sayings(hear(ais, log)).map((said) => JSON.stringify(said)))
  for (let bit = 0; bit < 8 * log.length; bit += 3) {
    const flipped = log.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    for (const said of sayings(hear(ais, flipped)))
      assert.ok(truth.has(JSON.stringify(said)), `bit ${bit}`)
  }
  const whole = hear(ais, capture('ais/pyais-mixed.txt'))
  for (const size of [1, 7, 64]) {
    const work = decoder(ais, readOptions(ais))
    const all = capture('ais/pyais-mixed.txt')
    const found = []
    for (let at = 0; at < all.length; at += size) found.push(...work.push(all.slice(at, at + size)))
    assert.deepEqual([...found, ...work.finish()], whole, `${size} bytes at a time`)
  }
})
