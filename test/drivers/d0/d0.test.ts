import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { d0 } from '../../../drivers/d0/index.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { readOptions } from '../../../runtime/sense/options.ts'
import { cases, doubts, hear, sayings } from '../bench.ts'
import { bytesOf, type Case, holdMap } from '../maps.ts'

// Theirs fill in a medium and channel that the meter does not say, and put 97.97 for F.F.
holdMap(
  'd0',
  d0,
  {
    '6-0:9.20': ['9.20', 1],
    '6-0:6.8': ['6.8', 1000],
    '1-0:97.97': ['F.F', 1],
    '1-0:1.8.0': ['1.8.0', 1],
    '1-0:1.8.1*7': ['1-0:1.8.1_07', 1],
    '1-0:1.6.0*255': ['1-0:1.6.0', 1],
    // One text here, two at its # there.
    '1-0:0.2.0': null,
  },
  {
    flat: (expect) =>
      Object.fromEntries(
        Object.entries(expect as Record<string, { readonly value0: string }>).map(
          ([name, { value0 }]) => [name, value0.includes('.') ? Number(value0) : value0],
        ),
      ),
    near: 1e-12,
  },
)

const lines =
  'F.F(00)\r\n1.8.0(000285.4*kWh)\r\n1.6.0(02.468*kW)(1703100930)\r\n1.8.0*01(000120.1*kWh)\r\n!\r\n'
const frame = block(lines)

test("a maximum's time stands beside it, on the meter's own clock", () => {
  const [long] = cases<Case>('d0/cases.json').filter(({ name }) => name.endsWith('WithAck2'))
  assert.ok(long !== undefined)
  const [said] = sayings(hear(d0, bytesOf('d0', long)))
  const { '1-0:1.6.0*255': theirs } = long.expect as Record<string, { readonly value1: string }>
  assert.equal(said?.values['1-0:1.6.0_time'], '2017-03-10T09:30')
  assert.equal(theirs?.value1, '1703100930')
})

test('a block says its lines, is checked, and keeps the first line before it', () => {
  const heard = hear(d0, Uint8Array.of(...ascii('/ELS5\\@V9.30 \r\n'), ...frame))
  assert.deepEqual(sayings(heard), [
    {
      ok: true,
      values: {
        identification: 'ELS5\\@V9.30 ',
        'F.F': '00',
        '1.8.0': 285.4,
        '1.6.0': 2.468,
        '1.6.0_time': '2017-03-10T09:30',
        '1.8.0_01': 120.1,
      },
      units: { '1.8.0': 'kWh', '1.6.0': 'kW', '1.8.0_01': 'kWh' },
    },
  ])
})

test('history may be left out', () => {
  const [said] = sayings(hear(d0, frame, { history: false }))
  assert.equal(said?.values['1.8.0_01'], undefined)
  assert.equal(said?.values['1.8.0'], 285.4)
})

test('data that nothing checks say so, and are believed only line by line', () => {
  const pushed = `/EMH5----eHZ\r\n\r\n${lines}`
  const [said] = sayings(hear(d0, pushed))
  assert.equal(said?.unchecked, true)
  assert.deepEqual(doubts(hear(d0, pushed.replace('4*kWh)', '4*kWh'))), ['broken line'])
})

test('a block is read though a copy or a terminal took its carriage returns, which its BCC counts', () => {
  const meters = [
    // Landis+Gyr E350, Iskraemeco MT174, Pafal 20EC3gr: blocks as their readers print them.
    '0.0(          120858)\r\n1.8.0(061561.289*kWh)\r\n32.7(241*V)\r\nC.5.0(0401)\r\n!\r\n',
    '1-0:0.9.1*255(105644)\r\n1-0:1.8.0*255(0000502.853*kWh)\r\n!\r\n',
    'F.F(00)\r\n1.8.0*00(019446.38)\r\nC.2.1(000000000000)(      )\r\n0.2.2(:::::G11)!\r\n',
  ]
  for (const text of meters) {
    const sent = block(text)
    const [once] = sayings(hear(d0, sent))
    const line = String.fromCharCode(...sent.subarray(0, -1))
    for (const taken of [line.replaceAll('\r', ''), line.replaceAll('\r', '\n')]) {
      const said = sayings(hear(d0, Uint8Array.of(...ascii(taken), sent.at(-1) ?? 0)))
      assert.deepEqual(said, [once])
      assert.equal(once?.unchecked, undefined)
    }
  }
  const [pafal] = sayings(hear(d0, block(meters[2] ?? '')))
  assert.deepEqual([pafal?.values['1.8.0_00'], pafal?.units?.['1.8.0_00']], [19446.38, 'kWh'])
})

test('an amount without point and unit is a number all the same, and a number of the meter none', () => {
  const text =
    '1.8.1(00012345)\r\n31.7.0(007)\r\n1.8.0*01 (0000012*kWh)\r\n0.1.0(26)\r\n0.0.0(00042)'
  const [said] = sayings(hear(d0, block(`${text}\r\n!\r\n`)))
  assert.deepEqual(said?.values, {
    ...{ '1.8.1': 12345, '31.7.0': 7, '1.8.0_01': 12, '0.1.0': '26', '0.0.0': '00042' },
  })
})

test('a block that nothing ends is a doubt, unless its checksum is optional', () => {
  for (const cut of [frame.slice(0, -1), frame.slice(0, -2)]) {
    assert.deepEqual(doubts(hear(d0, cut)), ['no checksum where one belongs'])
    const [said] = sayings(hear(d0, cut, { checksum: 'optional' }))
    assert.equal(said?.values['1.8.0'], 285.4)
    assert.equal(said?.unchecked, true)
  }
})

test('a wrong checksum is one for an optional check too, unless it is overlooked', () => {
  const wrong = frame.slice()
  wrong[wrong.length - 1] = 0x7e
  assert.deepEqual(doubts(hear(d0, wrong, { checksum: 'optional' })), ['bad checksum'])
  assert.equal(sayings(hear(d0, wrong, {}, 'checksums'))[0]?.unchecked, true)
})

test('units become those that the fields declare, and the value with them', () => {
  const said = (code: string, text: string) => {
    const [one] = sayings(hear(d0, block(`${code}(${text})\r\n0.0(1)\r\n!\r\n`)))
    return [one?.values[code], one?.units?.[code]]
  }
  assert.deepEqual(said('6.8', '0029.055*MWh'), [29055, 'kWh'])
  assert.deepEqual(said('6.8', '36*GJ'), [10000, 'kWh'])
  assert.deepEqual(said('1.8.0', '0001234567*Wh'), [1234.567, 'kWh'])
  assert.deepEqual(said('1-0:16.7.0', '-000115.94*W'), [-0.11594, 'kW'])
  assert.deepEqual(said('6.8', '0000123*KWH'), [123, 'kWh'])
  assert.deepEqual(said('6.26', '1,5*m3'), [1.5, 'm3'])
  assert.deepEqual(said('6.26', '1500*l'), [1.5, 'm3'])
  assert.deepEqual(said('6.27', '36*m3ph'), [0.01, 'm3/s'])
  assert.deepEqual(said('6.30', '020.5*C'), [20.5, 'K'])
  assert.deepEqual(said('81.7.4', '  80*Deg'), [80, 'deg'], 'a code of no field keeps its unit')
  for (const no of ['1.1*m3', '80*furlong', '----']) {
    assert.deepEqual(said('6.8', no), [undefined, undefined], no)
  }
  const [past] = sayings(hear(d0, block('1.8.0*01(000120100*Wh)\r\n!\r\n')))
  assert.deepEqual([past?.values['1.8.0_01'], past?.units?.['1.8.0_01']], [120.1, 'kWh'])
})

test('an earlier period has the unit of the running one on every channel, and a time that never was is none', () => {
  // Landis+Gyr ZMD310.
  const text =
    '1-1:1.6.0(10.102*kW)(2104070015)\r\n1-1:1.6.0*01(06.130)(2101281415)\r\n' +
    '1-1:2.6.0*01(00.000)(0000000000)\r\n1-1:5.8.0*01(0000001.1)\r\n1-1:56.7.0( 001.67*kW)\r\n'
  const [said] = sayings(hear(d0, block(`${text}!\r\n`)))
  assert.deepEqual(said?.values, {
    ...{ '1-1:1.6.0': 10.102, '1-1:1.6.0_time': '2021-04-07T00:15' },
    ...{ '1-1:1.6.0_01': 6.13, '1-1:1.6.0_01_time': '2021-01-28T14:15' },
    ...{ '1-1:2.6.0_01': 0, '1-1:5.8.0_01': 1.1, '1-1:56.7.0': 1.67 },
  })
  assert.deepEqual(said?.units, {
    ...{ '1-1:1.6.0': 'kW', '1-1:1.6.0_01': 'kW', '1-1:2.6.0_01': 'kW' },
    ...{ '1-1:5.8.0_01': 'kvarh', '1-1:56.7.0': 'kW' },
  })
})

test("a maximum's time is read however the meter writes it", () => {
  // Turkish meters; ZPA AM363; those of IEC 1107 in its first years.
  const text =
    '1.6.0(001.234*kW)(24-12-01,00:15)\r\n1.6.1(2.002*kW)\r\n1.6.1,5(202601130730)\r\n' +
    '3.6.3(186*kvar)(10-02-01 00:15)\r\n1.8.0(013925.5*)\r\n'
  const [said] = sayings(hear(d0, block(`${text}!\r\n`)))
  assert.deepEqual(said?.values, {
    ...{ '1.6.0': 1.234, '1.6.0_time': '2024-12-01T00:15' },
    ...{ '1.6.1': 2.002, '1.6.1_time': '2026-01-13T07:30' },
    ...{ '3.6.3': 186, '3.6.3_time': '2010-02-01T00:15', '1.8.0': 13925.5 },
  })
  assert.equal(said?.units?.['1.8.0'], 'kWh')
})

test('a telegram of P1 is left to its driver, and lines without a beginning to nobody', () => {
  assert.deepEqual(doubts(hear(d0, `/ISk5x\r\n\r\n${lines.trim()}6EEE\r\n`)), [
    'telegram of P1: driver dsmr',
  ])
  assert.deepEqual(hear(d0, lines), [])
})

test('a cut block is given up at the next beginning', () => {
  const heard = hear(d0, Uint8Array.of(...frame.subarray(0, 40), ...frame))
  assert.equal(sayings(heard).length, 1)
})

test('no one changed bit of a block says anything but the truth', () => {
  const truth = JSON.stringify(sayings(hear(d0, frame)))
  for (let bit = 0; bit < 8 * frame.length; bit += 1) {
    const changed = frame.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    for (const said of sayings(hear(d0, changed)))
      assert.equal(JSON.stringify([said]), truth, `${bit}`)
  }
})

test('blocks read the same in all pieces and among noise', () => {
  const noise = fc.uint8Array({ maxLength: 30 }).map((all) => all.filter((byte) => byte > 0x7e))
  const once = sayings(hear(d0, frame))
  fc.assert(
    fc.property(noise, fc.array(fc.integer({ min: 1, max: 60 })), (some, sizes) => {
      const line = Uint8Array.of(...some, ...frame, ...some, ...frame, ...some)
      const work = decoder(d0, readOptions(d0))
      const heard = []
      let at = 0
      for (const size of sizes) {
        heard.push(...work.push(line.slice(at, at + size)))
        at += size
      }
      heard.push(...work.push(line.slice(at)), ...work.finish())
      assert.deepEqual(sayings(heard), [...once, ...once])
    }),
  )
})

test('any lines behind a right checksum are read or left out, and never throw', () => {
  const letters = fc.constantFrom(...'0123456789.()*&:-!/ \r\nkWhCF')
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 300 }), (text) => {
      for (const one of [block(text.join('')), ascii(`/EMH5x\r\n${text.join('')}!\r\n`)]) {
        for (const said of sayings(hear(d0, one, { checksum: 'optional' }))) {
          assert.ok(Object.keys(said.values).every((name) => name.length <= 64))
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('a meter that is asked for blocks with checksums offers nothing unchecked', () => {
  const offers = (options: Record<string, unknown>) =>
    d0.fieldsWith?.(readOptions(d0, options)).includes('unchecked')
  assert.equal(offers({ mode: 'ask' }), false)
  assert.equal(offers({ mode: 'ask', checksum: 'optional' }), true)
  assert.equal(offers({}), true)
})

test('the offer of a meter names no more fields than terms may have', () => {
  assert.ok(Object.values(d0.fields).filter(({ detail }) => !detail).length <= 256)
})

function block(text: string): Uint8Array {
  const covered = ascii(`${text}\x03`)
  return Uint8Array.of(
    2,
    ...covered,
    covered.reduce((sum, byte) => sum ^ byte, 0),
  )
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}
