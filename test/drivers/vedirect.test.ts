import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { vedirect } from '../../drivers/vedirect/index.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { cases, doubts, hear, sayings } from './bench.ts'
import { bytesOf, type Case, holdMap } from './maps.ts'

holdMap(
  'vedirect',
  vedirect,
  {
    V: ['V', 1],
    I: ['I', 1],
    VPV: ['VPV', 1],
    PPV: ['PPV', 1],
    CS: ['CS', 1],
    IL: ['IL', 1],
    H19_J: ['H19', 1],
    H20_J: ['H20', 1],
    H21_W: ['H21', 1],
    H22_J: ['H22', 1],
    H23_W: ['H23', 1],
    H19: ['H19', 36_000],
    H20: ['H20', 36_000],
    H21: ['H21', 1],
    H22: ['H22', 36_000],
    H23: ['H23', 1],
    HSDS: ['HSDS', 1],
    MPPT: ['MPPT', 1],
    PID: ['PID', 1],
    FW: ['FW', 1],
    'SER#': ['SER', 1],
    // A truth here, a word there; and a product's name that they write with another mark.
    LOAD: null,
    product: null,
  },
  { flat: (expect) => expect, near: 1e-9, files: ['cases.json', 'cases-copies.json'] },
)

test('a smart shunt says both its blocks, in amounts as others read them', () => {
  const [one] = cases<Case>('vedirect/cases.json').filter(({ name }) => name.endsWith('vedtext'))
  assert.ok(one !== undefined)
  const said = sayings(hear(vedirect, bytesOf('vedirect', one)))
  const all = Object.assign({}, ...said.map(({ values }) => values)) as Record<string, number>
  const near = (name: string, value: number) =>
    assert.ok(Math.abs((all[name] ?? Number.NaN) - value) < 1e-6, `${name}: ${all[name]}`)
  const { expect } = one as { expect: Record<string, [number, string]> }
  const amount = (words: string) => expect[words]?.[0] ?? Number.NaN
  near('H1', amount('Depth of the deepest discharge') * 3600)
  near('H6', amount('Cumulative Amp Hours drawn') * 3600)
  near('H7', amount('Minimum main battery voltage'))
  near('H15', amount('Minimum auxiliary battery voltage'))
  near('H17', amount('Amount of discharged energy') * 3.6e6)
  near('V', amount('Main or channel 1 battery voltage'))
  near('SOC', amount('State-of-charge') / 100)
  assert.equal(all.TTG, undefined, 'a time to go of -1 is for ever, and no time')
})

const lines = [
  'PID\t0xA053',
  'FW\t159',
  'V\t12540',
  'I\t-40',
  'T\t---',
  'CS\t3',
  'LOAD\tON',
  'X9\t7',
]

test('states have names, what is not there is absent, unknown labels harm nothing', () => {
  const [said] = sayings(hear(vedirect, block(lines)))
  const { V, I, CS, LOAD, product, T } = said?.values ?? {}
  assert.deepEqual([V, I, CS, LOAD, T], [12.54, -0.04, 'bulk', true, undefined])
  assert.equal(product, 'SmartSolar MPPT 75|15')
  assert.equal(said?.values.X9, undefined)
})

test('an id is that of its product however many zeros stand before it, and an unknown one of none', () => {
  const product = (pid: string) =>
    sayings(hear(vedirect, block([`PID\t${pid}`, 'V\t-0'])))[0]?.values
  assert.deepEqual(product('0x0300'), { PID: '0x0300', V: 0, product: 'BlueSolar MPPT 70|15' })
  assert.equal(product('0x300')?.product, 'BlueSolar MPPT 70|15')
  assert.equal(product('0xA27C')?.product, 'Phoenix Inverter 48V 1200VA 120V')
  assert.equal(product('0xFFFF')?.product, undefined)
  assert.equal(product('__proto__')?.product, undefined)
})

test('a HEX frame alone is one by its checksum; what a sketch prints behind a colon is none', () => {
  const frames = (text: string) => {
    const work = decoder(vedirect, readOptions(vedirect))
    work.push(new TextEncoder().encode(text))
    return work.frames()
  }
  // Ping, and the answer to a question for register 0xEDF0, as the protocol's own examples have them.
  assert.equal(frames(':154\n:7F0ED0071\n'), 2)
  assert.equal(frames('a:1,b:2\nMin:0,temp:21\n:155\n:15\n:\n'), 0)
})

test('frames of the HEX protocol between any two lines count in no sum and are skipped', () => {
  const plain = latin1(block(lines))
  fc.assert(
    fc.property(fc.nat(lines.length - 1), fc.stringMatching(/^[0-9A-F]{0,40}$/), (at, hex) => {
      const place = plain.indexOf(`\r\n${lines[at]}`)
      const mixed = `${plain.slice(0, place)}:${hex}\n${plain.slice(place)}`
      const said = sayings(hear(vedirect, bytes(mixed)))
      assert.deepEqual(said, sayings(hear(vedirect, bytes(plain))))
      assert.equal(said.length, 1)
    }),
  )
})

test('the rest of a block whose beginning was lost is never read, though its sum may be right by chance', () => {
  // The same ending under each of the 256 sums: one of them is right.
  const rest = '\r\nI\t-40\r\nCS\t3\r\nChecksum\t'
  for (let sum = 0; sum < 256; sum += 1) {
    const cut = bytes(rest + String.fromCharCode(sum))
    assert.deepEqual(sayings(hear(vedirect, cut)), [])
    assert.equal(sayings(hear(vedirect, Uint8Array.of(...cut, ...block(lines)))).length, 1)
  }
})

test('two blocks whose seam was lost are no block, though their sum is right; nor is one with a broken line', () => {
  const twice = block([...lines, ...lines.slice(1)])
  assert.deepEqual(doubts(hear(vedirect, twice)), ['two blocks in one'])
  assert.deepEqual(doubts(hear(vedirect, block([...lines, 'H19 6078']))), ['broken line'])
  assert.deepEqual(doubts(hear(vedirect, block([...lines, 'H19\t60\u000f78']))), ['broken line'])
})

test('a broken block is a doubt, and the next one is read', () => {
  const broken = block(lines).slice()
  broken[12] = (broken[12] ?? 0) ^ 1
  const heard = hear(vedirect, Uint8Array.of(...broken, ...block(lines)))
  assert.equal(sayings(heard).length, 1)
  assert.deepEqual(doubts(heard), ['bad checksum'])
})

test('a block is read as people keep it: bare line feeds, no line end before it, both', () => {
  const sent = latin1(block(lines))
  const once = sayings(hear(vedirect, bytes(sent)))
  const sum = sent.slice(-1)
  const feeds = (by: string) => sent.slice(0, -1).replaceAll('\r', by) + sum
  for (const copy of [sent, feeds(''), feeds('\n')]) {
    const bare = copy.replace(/^\s+/, '')
    for (const text of [copy, bare, `$ cat /dev/ttyUSB0\n${bare}`, copy + copy, bare + copy]) {
      const heard = hear(vedirect, bytes(text))
      const two = text === copy + copy || text === bare + copy
      assert.deepEqual(sayings(heard), two ? [...once, ...once] : once, JSON.stringify(text))
      assert.deepEqual(doubts(heard), [])
    }
  }
})

test('a copy whose sum was lost is one doubt, and read when the sum is overlooked', () => {
  const [said] = sayings(hear(vedirect, block(lines)))
  for (const mark of ['?', '\u00ef\u00bf\u00bd', '\u00e2\u00b8\u00ae', '\r\n', '\n']) {
    for (const ends of ['\r\n', '\n']) {
      for (const start of ['', ends]) {
        const copy = bytes(`${start}${[...lines, 'Checksum\t'].join(ends)}${mark}${ends}`)
        assert.deepEqual(doubts(hear(vedirect, copy)), ['bad checksum'], JSON.stringify(mark))
        const read = sayings(hear(vedirect, copy, {}, 'checksums'))
        assert.deepEqual(read, [{ ...said, unchecked: true }])
      }
    }
  }
})

test('a HEX frame within a copy with bare line feeds harms nothing', () => {
  const sent = latin1(block(lines))
  const copy = sent.slice(0, -1).replaceAll('\r', '') + sent.slice(-1)
  const mixed = copy.replace('\nV\t', ':7F0ED009600DB\n\nV\t')
  assert.deepEqual(sayings(hear(vedirect, bytes(mixed))), sayings(hear(vedirect, bytes(sent))))
})

function block(of: readonly string[]): Uint8Array {
  const text = bytes(`${of.map((line) => `\r\n${line}`).join('')}\r\nChecksum\t`)
  const sum = text.reduce((all, byte) => all + byte, 0)
  return Uint8Array.of(...text, -sum & 0xff)
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

function latin1(of: Uint8Array): string {
  return String.fromCharCode(...of)
}
