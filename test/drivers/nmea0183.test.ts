import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { nmea0183 } from '../../drivers/nmea0183/index.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import type { Saying, Value } from '../../runtime/sense/driver.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { capture, cases, doubts, hear, sayings, sentence } from './bench.ts'

type Message = Readonly<Record<string, string | number>>
type LogCase = { name: string; input_file: string; expect: { messages: Message[] } }
type LineCase = { name: string; input_text: string; expect: { error?: string } }

const knot = 1852 / 3600

/** Their names → ours. */
const logFields: Readonly<Record<string, readonly [string, number]>> = {
  lat: ['lat', 1],
  lon: ['lon', 1],
  alt: ['alt', 1],
  sep: ['geoid', 1],
  quality: ['fix', 1],
  numSV: ['satellites', 1],
  HDOP: ['hdop', 1],
  VDOP: ['vdop', 1],
  PDOP: ['pdop', 1],
  spd: ['speed', knot],
  sogn: ['speed', knot],
  cog: ['course', 1],
  cogt: ['course', 1],
  navMode: ['fix_type', 1],
  systemId: ['system', 1],
  signalID: ['signal', 1],
  stdLat: ['lat_error', 1],
  errLat: ['raim_lat_error', 1],
  headt: ['heading', 1],
}

for (const { name, input_file, expect } of cases<LogCase>('nmea0183/cases-pynmeagps.json')) {
  test(`agrees with another decoder on ${name}`, () => {
    const found = sayings(hear(nmea0183, capture(`nmea0183/${input_file}`)))
    for (const saying of found) {
      if (saying.values.talker === 'P') continue
      const at = expect.messages.findIndex(({ _msg }) => _msg === address(saying))
      assert.ok(at >= 0, `${address(saying)} is not among theirs`)
      const [message = {}] = expect.messages.splice(0, at + 1).slice(-1)
      compare(saying, message)
    }
  })
}

test('what another decoder calls invalid is never a reading', () => {
  for (const { name, input_text, expect } of cases<LineCase>('nmea0183/cases-go-nmea.json')) {
    // Noise before a sentence is no fault of the sentence.
    if (expect.error === undefined || input_text.startsWith('abc$')) continue
    assert.deepEqual(sayings(hear(nmea0183, input_text)), [], name)
  }
})

test('what another decoder reads is read, or a doubt that says why not', () => {
  const why = ['unknown sentence', 'empty', 'not valid']
  for (const { name, input_text, expect } of cases<LineCase>('nmea0183/cases-go-nmea.json')) {
    if (expect.error !== undefined) continue
    const heard = hear(nmea0183, input_text)
    assert.equal(heard.length, 1, name)
    for (const reason of doubts(heard)) assert.ok(why.includes(reason), `${name}: ${reason}`)
  }
})

test('one flipped bit never changes a reading', () => {
  for (const file of ['pygpsdata-nmea4sm.log', 'pygpsdata-um981.log', 'pygpsdata-nmea4lc.log']) {
    const log = capture(`nmea0183/${file}`)
    const truth = sayings(hear(nmea0183, log)).map(({ values }) => JSON.stringify(undated(values)))
    for (let bit = 0; bit < log.length * 8; bit += 1) {
      const flipped = log.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      for (const { values } of sayings(hear(nmea0183, flipped))) {
        assert.ok(truth.includes(JSON.stringify(undated(values))), `${file}, bit ${bit}`)
      }
    }
  }
})

test('finds the same sentences however the bytes are dealt, in every log', () => {
  const logs = readdirSync(new URL('../captures/nmea0183', import.meta.url)).filter((name) =>
    name.endsWith('.log'),
  )
  assert.ok(logs.length > 10)
  for (const name of logs) {
    const log = capture(`nmea0183/${name}`)
    const whole = hear(nmea0183, log)
    for (const size of [1, 7, 64]) {
      const work = nmeaWork()
      const found = []
      for (let at = 0; at < log.length; at += size) {
        found.push(...work.push(log.slice(at, at + size)))
      }
      assert.deepEqual([...found, ...work.finish()], whole, `${name}, ${size} bytes at a time`)
    }
  }
})

test('never throws, whatever fields a sentence has', () => {
  const types = ['GGA', 'RMC', 'GSV', 'GSA', 'XDR', 'MWV', 'VBW', 'RPM', 'ZDA', 'XTE', 'MDA']
  const field = fc.oneof(
    fc.constantFrom(
      '',
      'constructor',
      'A',
      'V',
      'N',
      'E',
      'M',
      'T',
      '1',
      '-1',
      '99.99',
      '12',
      '235960.5',
    ),
    fc.string({ unit: 'grapheme-ascii', maxLength: 8 }).map((text) => text.replace(/[$*,!]/g, '')),
  )
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.array(field, { maxLength: 24 }), (type, fields) => {
      for (const { values } of sayings(hear(nmea0183, sentence(`GP${type},${fields}`)))) {
        for (const value of Object.values(values)) {
          assert.ok(typeof value !== 'number' || Number.isFinite(value))
        }
      }
    }),
    { numRuns: 500 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void hear(nmea0183, bytes)))
})

function nmeaWork() {
  // A second decoder, so that nothing is remembered from the first.
  return decoder(nmea0183, readOptions(nmea0183))
}

function address({ values }: Saying): string {
  return `${values.talker}${values.sentence}`
}

function compare(saying: Saying, message: Message) {
  const blind = saying.values.valid === false || saying.values.fix === 0
  for (const [theirs, [ours, scale]] of Object.entries(logFields)) {
    const value = message[theirs]
    if (typeof value !== 'number' || (blind && saying.values[ours] === undefined)) continue
    if (ours === 'alt' && saying.values.sentence === 'DTM') continue
    if (saying.values.sentence === 'VLW' || saying.values.sentence === 'DTM') continue
    if (theirs === 'numSV' && saying.values.sentence === 'GSV') continue
    // 99.99 is what stands for no dilution.
    if (theirs.endsWith('DOP') && value >= 99) continue
    const found = Number(saying.values[ours])
    assert.ok(Math.abs(found - value * scale) < 1e-6, `${message._msg} ${ours}: ${found}`)
  }
  if (typeof message.time === 'string' && message.time !== '') {
    assert.ok(String(saying.values.time).includes(message.time), `${saying.values.time}`)
  }
  if (typeof message.date === 'string' && message.date !== '') {
    assert.ok(saying.time?.startsWith(message.date))
  }
}

/** Without the date, which a sentence may owe to another that the flip took away. */
function undated(values: Readonly<Record<string, Value>>) {
  return { ...values, time: String(values.time).split('T').at(-1) }
}
