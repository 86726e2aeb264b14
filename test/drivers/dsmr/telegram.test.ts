import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reflectedCrc } from '../../../drivers/crc.ts'
import { dsmr } from '../../../drivers/dsmr/index.ts'
import { instant } from '../../../drivers/dsmr/time.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { readOptions } from '../../../runtime/sense/options.ts'
import { capture, doubts, hear, sayings } from '../bench.ts'

const v5 = capture('dsmr/TELEGRAM_V5.txt')
const v3 = capture('dsmr/TELEGRAM_V3.txt')
const text = new TextDecoder('latin1')
const crc16 = reflectedCrc(0xa001, 0)
const bytes = (of: string) => Uint8Array.from(of, (letter) => letter.charCodeAt(0))
const values = (of: Uint8Array | string, options = {}) =>
  sayings(hear(dsmr, of, options)).map((said) => said.values)

test('a telegram reads the same in all pieces, behind, between and before noise', () => {
  const noise = fc.uint8Array({ maxLength: 40 }).map((all) => all.filter((byte) => byte !== 0xdb))
  const once = values(v5)
  fc.assert(
    fc.property(noise, noise, fc.array(fc.integer({ min: 1, max: 400 })), (first, last, sizes) => {
      const line = Uint8Array.of(...first, ...v5, ...last, ...v5, ...first)
      const work = decoder(dsmr, readOptions(dsmr))
      const heard = []
      let at = 0
      for (const size of sizes) {
        heard.push(...work.push(line.slice(at, at + size)))
        at += size
      }
      heard.push(...work.push(line.slice(at)), ...work.finish())
      assert.deepEqual(
        sayings(heard).map((said) => said.values),
        [...once, ...once],
      )
    }),
    { numRuns: 50 },
  )
})

test('changed telegrams say nothing but the truth', () => {
  const truth = JSON.stringify(values(v5)[0])
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(v5.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const changed = v5.slice()
        for (const [at, byte] of changes) changed[at] = byte
        for (const said of values(changed)) assert.equal(JSON.stringify(said), truth)
      },
    ),
    { numRuns: 300 },
  )
})

test('a telegram that was cut off is given up at the beginning of the next', () => {
  const cut = Uint8Array.of(...v3.subarray(0, 200), 0x0d, 0x0a, ...v3)
  assert.deepEqual(values(cut), values(v3))
  assert.deepEqual(doubts(hear(dsmr, cut)), [])
})

test('the end may stand behind the last data set, on its line', () => {
  const joined = '/ADN9 6534\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n1-0:71.7.0(0001.4*A)!\r\n'
  const [said] = sayings(hear(dsmr, joined))
  assert.deepEqual([said?.values['1-0:1.7.0'], said?.values['1-0:71.7.0']], [0.345, 1.4])
  const message = joined.replace('1-0:71.7.0(0001.4*A)!', '0-0:96.13.0(now!)\r\n!')
  assert.equal(sayings(hear(dsmr, message))[0]?.values['0-0:96.13.0'], 'now!')
})

test('an amount is a number or absent: a unit without its star is read, and words are not', () => {
  const lines = ['1-0:1.8.0(00007225.264kWh)', '1-0:32.7.0(not-a-number*V)', '1-0:52.7.0(none)']
  const more = ['1-0:31.7.0(000.4 A)', '1-0:1.7.0(0000.716kvar)', '1-0:2.7.0(00716)']
  const [said] = sayings(
    hear(dsmr, `/LGF5E360\r\n\r\n${[...lines, ...more].join('\r\n')}\r\n!\r\n`),
  )
  assert.deepEqual(said?.values, {
    ...{ identification: 'LGF5E360', '1-0:1.8.0': 7225.264, '1-0:31.7.0': 0.4, '1-0:2.7.0': 716 },
  })
})

test('a number is never a text, and a name without a letter is absent', () => {
  const lines = [
    '0-0:17.0.0(999.9kW)',
    '1-0:31.4.0(999A)',
    '0-0:96.7.21(none)',
    '0-0:96.1.2(20202020)',
  ]
  const [said] = sayings(hear(dsmr, `/FLU5\\253769484_A\r\n\r\n${lines.join('\r\n')}\r\n!\r\n`))
  assert.deepEqual(said?.values, {
    ...{ identification: 'FLU5\\253769484_A', '0-0:17.0.0': 999.9, '1-0:31.4.0': 999 },
  })
  assert.equal(said?.units?.['0-0:17.0.0'], 'kW')
})

test('of a code that comes with several times the latest is told', () => {
  // Actaris ACE4000: gas by the hour of the day, today's hours before those that are yesterday's.
  const hours = ['(01238.740*m3)(19-01-01 00:00:00)', '(01240.690*m3)(19-01-01 13:00:00)']
  const old = ['(01237.560*m3)(18-12-31 14:00:00)', '(01238.700*m3)(632525252525W)']
  const lines = [...hours, ...old].map((groups) => `7-0:23.1.0*255${groups}`)
  const [said] = sayings(hear(dsmr, `/ACE5ACE4KGPRS\r\n\r\n${lines.join('\r\n')}\r\n!\r\n`))
  assert.deepEqual(said?.values, {
    ...{ identification: 'ACE5ACE4KGPRS', '7-0:23.1.0': 1240.69 },
    '7-0:23.1.0_time': '2019-01-01T12:00:00Z',
  })
})

test('the clock has the code of WarmteLink too, and its heat is read', () => {
  const lines = [
    '0-0:1.1.0(260415083136W)',
    '0-1:24.1.0(012)',
    '0-1:24.2.1(260415083100W)(170.265*GJ)',
  ]
  const [said] = sayings(hear(dsmr, `/WARMTELINK-VI\\\r\n\r\n${lines.join('\r\n')}\r\n!\r\n`))
  assert.equal(said?.time, '2026-04-15T07:31:36Z')
  assert.deepEqual(said?.values, {
    ...{ identification: 'WARMTELINK-VI\\', '0-1:24.1.0': 12 },
    ...{ '0-1:24.2.1': 170_265_000_000, '0-1:24.2.1_time': '2026-04-15T07:31:00Z' },
  })
  assert.equal(said?.units?.['0-1:24.2.1'], 'J')
})

test('a message that was never written is none, and one in letters that no ASCII has is read', () => {
  // AUX in Hungary: flash that was erased, 1,024 times ff.
  const message = (text: string) => {
    const head = `/AUX59903218166\r\n\r\n1-0:1.8.0(000812.421*kWh)\r\n0-0:96.13.0(${text})\r\n!`
    return bytes(`${head}${crc16(bytes(head)).toString(16).toUpperCase().padStart(4, '0')}\r\n`)
  }
  const start = { identification: 'AUX59903218166', '1-0:1.8.0': 812.421 }
  assert.deepEqual(values(message('\xff'.repeat(1024))), [start])
  assert.deepEqual(values(message('\xc1ram')), [{ ...start, '0-0:96.13.0': '\xc1ram' }])
  const unchecked = bytes('/AUX5x\r\n\r\n1-0:1.8.0(1*kWh)\r\n0-0:96.13.0(\xc1)\r\n!\r\n')
  assert.deepEqual(doubts(hear(dsmr, unchecked)), ['broken line'])
})

test('Holley is held to the CRC of X.25 too, others are not, and its units are read as it writes them', () => {
  const message = (maker: string) => {
    const lines = [
      '1-0:15.8.0(00007137.694*kWh )',
      '1-0:14.7.0(49.99*HZ)',
      `0-0:96.13.0(${'FF'.repeat(9)})`,
    ]
    const head = `/${maker}5/D545-METER\r\n\r\n${lines.join('\r\n')}\r\n!`
    const crc = reflectedCrc(0x8408, 0xffff)(bytes(head)) ^ 0xffff
    return bytes(`${head}${crc.toString(16).toUpperCase().padStart(4, '0')}\r\n`)
  }
  assert.deepEqual(values(message('HLY')), [
    { identification: 'HLY5/D545-METER', '1-0:15.8.0': 7137.694, '1-0:14.7.0': 49.99 },
  ])
  assert.deepEqual(doubts(hear(dsmr, message('ISK'))), ['bad checksum'])
})

test('values of a log that share a time all have it, and a version with a point is no number', () => {
  const lines = [
    '1-0:99.1.0(2)(0-0:96.10.7)(1-0:1.29.0)(1-0:2.29.0)(260411233000S)(00)(000000.205*kWh)(0.1*kWh)' +
      '(260411234500S)(00)(000000.210*kWh)(0.2*kWh)',
    '1-0:0.2.0(02.10)',
  ]
  const [said] = sayings(hear(dsmr, `/XXX5meter\r\n\r\n${lines.join('\r\n')}\r\n!\r\n`))
  const { identification, ...rest } = said?.values ?? {}
  const [first, second] = ['2026-04-11T21:30:00Z', '2026-04-11T21:45:00Z']
  assert.deepEqual(rest, {
    ...{ '1-0:99.1.0': 2, '1-0:99.1.0-1': '00', '1-0:99.1.0-1_time': first },
    ...{ '1-0:99.1.0-2': 0.205, '1-0:99.1.0-2_time': first },
    ...{ '1-0:99.1.0-3': 0.1, '1-0:99.1.0-3_time': first },
    ...{ '1-0:99.1.0-4': '00', '1-0:99.1.0-4_time': second },
    ...{ '1-0:99.1.0-5': 0.21, '1-0:99.1.0-5_time': second },
    ...{ '1-0:99.1.0-6': 0.2, '1-0:99.1.0-6_time': second },
    ...{ '1-0:0.2.0': '02.10' },
  })
})

test('a version that has a CRC is not believed without', () => {
  const bare = text.decode(v5).replace('!6EEE', '!')
  assert.deepEqual(doubts(hear(dsmr, bare)), ['no checksum where one belongs'])
  assert.equal(values(bare).length, 0)
  const [overlooked] = sayings(hear(dsmr, bare, {}, 'checksums'))
  assert.deepEqual(overlooked, { ...sayings(hear(dsmr, v5))[0], unchecked: true })
})

test('line ends that a copy lost are counted in the CRC, all of them or some', () => {
  const sent = text.decode(v5)
  const once = values(v5)
  assert.deepEqual(values(sent.replaceAll('\r', '')), once)
  assert.deepEqual(values(sent.replace('\r\n\r\n', '\r\n\n')), once)
  assert.deepEqual(values(sent.replaceAll('\r', '\n')), once, 'a terminal that was not raw')
})

test('a version without a CRC is believed only when every line is one', () => {
  const broken = text.decode(v3).replace('1-0:1.7.0(001.19*kW)', '1-0:1.7.0(001.19*kW')
  assert.deepEqual(doubts(hear(dsmr, broken)), ['broken line'])
})

test('a telegram that was kept without carriage returns holds its CRC', () => {
  const kept = text.decode(v5).replaceAll('\r', '')
  assert.deepEqual(values(kept), values(v5))
  assert.deepEqual(doubts(hear(dsmr, kept.replace('4.426', '4.427'))), ['bad checksum'])
})

test('summer time is told by the letter, else by the rule of the European Union', () => {
  assert.equal(instant('230202132747W', 'cet'), '2023-02-02T12:27:47Z')
  assert.equal(instant('230702132747S', 'cet'), '2023-07-02T11:27:47Z')
  assert.equal(instant('230702132747S', 'wet'), '2023-07-02T12:27:47Z')
  assert.equal(instant('230702132747W', 'eet'), '2023-07-02T11:27:47Z')
  assert.equal(instant('230702132747', 'utc'), '2023-07-02T13:27:47Z')
  // The night of 29 October 2023: 02:30 came twice.
  assert.equal(instant('231029023000S', 'cet'), '2023-10-29T00:30:00Z')
  assert.equal(instant('231029023000W', 'cet'), '2023-10-29T01:30:00Z')
  assert.equal(instant('231029023000', 'cet'), '2023-10-29T01:30:00Z')
  assert.equal(instant('231029015959', 'cet'), '2023-10-28T23:59:59Z')
  assert.equal(instant('230326030000', 'cet'), '2023-03-26T01:00:00Z')
  assert.equal(instant('230326015959', 'cet'), '2023-03-26T00:59:59Z')
})

test('what is no time is none', () => {
  for (const no of ['632525252525W', '700101010000W', '230230000000W', '230101240000W', '', 'W']) {
    assert.equal(instant(no, 'cet'), undefined, no)
  }
})

test('times without a letter agree with those of the machine through two years', () => {
  const local = new Intl.DateTimeFormat('sv', {
    timeZone: 'Europe/Amsterdam',
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  let late = 0
  for (let ms = Date.UTC(2024, 0, 1); ms < Date.UTC(2026, 0, 1); ms += 7_200_000) {
    const said = local.format(ms).replace(/\D/g, '').slice(2)
    const off = Date.parse(instant(said, 'cet') ?? '') - ms
    assert.ok(off === 0 || off === 3_600_000, said)
    if (off !== 0) late += 1
  }
  assert.equal(late, 2, 'the summer half of the hour that comes twice, once a year')
})

test('a meter behind this one that never answered has no value', () => {
  const [said] = values(capture('dsmr/TELEGRAM_V5_TWO_MBUS.txt'))
  assert.equal(said?.['0-1:24.2.1'], undefined)
  assert.equal(said?.['0-2:24.2.1'], 246.138)
})

test('two channels of DSMR 3 in one line each keep their code and unit', () => {
  const telegram =
    '/XXX5meter\r\n\r\n0-2:24.3.0(090212160000)(00)(60)(2)(0-2:24.2.1)(m3)(0-2:24.2.2)(kWh)\r\n(00001.5)(2.5)\r\n!\r\n'
  const [said] = sayings(hear(dsmr, telegram))
  assert.equal(said?.values['0-2:24.2.1'], 1.5)
  assert.equal(said?.values['0-2:24.2.2'], 2.5)
  assert.deepEqual(said?.units, { '0-2:24.2.1': 'm3', '0-2:24.2.2': 'kWh' })
})

test('the offer of a meter names no more fields than terms may have, and its models their line', () => {
  const sold = Object.values(dsmr.fields).filter(({ detail }) => !detail)
  assert.ok(sold.length <= 256, `${sold.length}`)
  const early = dsmr.under?.(readOptions(dsmr, dsmr.models.dsmr2))
  assert.deepEqual(early?.serial, { baudRate: 9600, dataBits: 7, parity: 'even' })
})

test('both limits of the current in Luxembourg, relays and further messages are read', () => {
  const telegram =
    '/Lux5x\r\n\r\n0-0:17.0.0(069.0*kVA)\r\n1-1:31.4.0(100*A)(-100*A)\r\n0-2:96.3.10(0)\r\n' +
    '0-0:96.13.2(48616C6C6F)\r\n0-0:96.13.3()\r\n1-0:3.8.0(00000518.309*kVArh)\r\n!\r\n'
  const [said] = sayings(hear(dsmr, telegram))
  assert.deepEqual(said?.values, {
    identification: 'Lux5x',
    '0-0:17.0.0': 69,
    '1-1:31.4.0': 100,
    '1-1:31.4.0-2': -100,
    '0-2:96.3.10': 0,
    '0-0:96.13.2': 'Hallo',
    '1-0:3.8.0': 518.309,
  })
  assert.equal(said?.units?.['0-0:17.0.0'], 'kVA')
  assert.equal(said?.units?.['1-0:3.8.0'], 'kvarh')
})

test('what has no CRC is unchecked, what has one is not', () => {
  assert.equal(sayings(hear(dsmr, v3))[0]?.unchecked, true)
  assert.equal(sayings(hear(dsmr, v5))[0]?.unchecked, undefined)
})

test('an empty telegram is a doubt', () => {
  assert.deepEqual(doubts(hear(dsmr, bytes('/XXX5meter\r\n\r\n1-0:1.8.0()\r\n!\r\n'))), [
    'no value',
  ])
})
