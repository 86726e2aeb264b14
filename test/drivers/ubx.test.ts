import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { message } from '../../drivers/ubx/frame.ts'
import { ubx } from '../../drivers/ubx/index.ts'
import { instant } from '../../drivers/ubx/layout.ts'
import { nameOf } from '../../drivers/ubx/names.ts'
import { decoder } from '../../runtime/sense/decoder.ts'
import type { Saying, Value } from '../../runtime/sense/driver.ts'
import { moments } from '../../runtime/sense/moment.ts'
import { readOptions } from '../../runtime/sense/options.ts'
import { capture, doubts, hear, sayings, sentence } from './bench.ts'
import { bytesOf, casesOf, holdMap } from './maps.ts'

const files = ['cases.json', 'cases-receivers.json']
holdMap('ubx', ubx, {}, { flat: (expect) => expect, near: 1e-6, files })

/** Their whole numbers → ours: what one of ours has of them. Degrees and dilutions they scale themselves. */
const per: Readonly<Record<string, number>> = {
  ...{ height: 1e3, hMSL: 1e3, hAcc: 1e3, vAcc: 1e3, velN: 1e3, velE: 1e3, velD: 1e3, gSpeed: 1e3 },
  ...{ sAcc: 1e3, tAcc: 1e9, ttff: 1e3, msss: 1e3 },
}
const perVelned = { velN: 100, velE: 100, velD: 100, gSpeed: 100, sAcc: 100 }
const numbers =
  'lon lat headMot headAcc numSV numSvs fixType gpsFix carrSoln psmState spoofDetState ' +
  'gDOP pDOP tDOP vDOP hDOP nDOP eDOP gnssFixOk gpsFixOk diffSoln fullyResolved wknSet towSet'
const same = new Set(numbers.split(' '))

type Message = Readonly<Record<string, string | number>>

test('every message that is read says what another decoder reads in it', () => {
  let compared = 0
  for (const one of casesOf('ubx', files)) {
    const said = sayings(hear(ubx, bytesOf('ubx', one))).map(({ values }) => values)
    for (const theirs of one.expect.messages as Message[]) {
      const at = said.findIndex(({ msg }) => msg === theirs._msg)
      if (at < 0) continue
      const [ours = {}] = said.splice(at, 1)
      compared += compare(ours, theirs)
    }
  }
  assert.ok(compared > 250, `${compared} values`)
})

function compare(ours: Saying['values'], theirs: Message): number {
  let compared = 0
  for (const [name, value] of Object.entries(theirs)) {
    const scale = theirs._msg === 'NAV-VELNED' ? { ...per, ...perVelned }[name] : per[name]
    if (typeof value !== 'number' || (scale === undefined && !same.has(name))) continue
    // 99.99 is what stands for no dilution.
    if (value === 99.99) continue
    const finer = theirs._msg === 'NAV-HPPOSLLH' && scale !== undefined ? 1e3 : scale
    const off = Math.abs(Number(ours[name]) - value / (finer ?? 1))
    assert.ok(off < 1e-9, `${theirs._msg} ${name}: ${ours[name]}, not ${value}`)
    compared += 1
  }
  if (typeof theirs.cno_01 === 'number') {
    const list = (name: string) => String(ours[name]).split(' ')
    for (const [n, field] of list('svId').entries()) {
      const key = String(n + 1).padStart(2, '0')
      assert.equal(Number(field.slice(1)), theirs[`svId_${key}`])
      assert.equal(Number(list('cno')[n]), theirs[`cno_${key}`])
      assert.equal(Number(list('elev')[n]), theirs[`elev_${key}`])
      assert.equal(Number(list('azim')[n]), theirs[`azim_${key}`])
      assert.equal(Number(list('prRes')[n]), theirs[`prRes_${key}`])
      assert.equal(list('used').includes(field), theirs[`svUsed_${key}`] === 1)
    }
  }
  return compared
}

/** The NAV-PVT of the captures, some of its bytes changed. */
function pvt(changes: Readonly<Record<number, number>> = {}, size = 92): Uint8Array {
  const payload = capture('ubx/pygpsdata-NAV.log').slice(6, 98)
  for (const [at, byte] of Object.entries(changes)) payload[Number(at)] = byte
  return message(0x01, 0x07, [...payload.subarray(0, size)])
}

const valuesOf = (bytes: Uint8Array) => sayings(hear(ubx, bytes))[0]?.values ?? {}

test('the nanoseconds of a time may be negative, and borrow from the seconds', () => {
  assert.equal(valuesOf(pvt()).time, '2021-12-04T11:34:58.999638332Z')
  assert.equal(instant([2022, 1, 1, 0, 0, 0], -1), '2021-12-31T23:59:59.999999999Z')
  assert.equal(instant([2016, 12, 31, 23, 59, 60], 5e8), '2016-12-31T23:59:60.5Z')
  assert.equal(instant([2016, 12, 31, 23, 59, 60], -5e8), '2016-12-31T23:59:59.5Z')
  assert.equal(instant([2022, 2, 29, 0, 0, 0], 0), undefined)
  assert.equal(instant([2022, 2, 28, 24, 0, 0], 0), undefined)
})

test('without a valid date and time there is no time', () => {
  for (const valid of [0, 1, 2, 4, 5, 6]) assert.equal(valuesOf(pvt({ 11: valid })).time, undefined)
  assert.equal(valuesOf(pvt({ 11: 3 })).fullyResolved, false)
})

test('without a fix, or with one outside its limits, there is no place and no speed', () => {
  for (const change of [{ 20: 0 }, { 21: 0 }, { 78: 1 }]) {
    const values = valuesOf(pvt(change))
    for (const name of ['lat', 'lon', 'height', 'hMSL', 'hAcc', 'gSpeed', 'velN', 'headMot']) {
      assert.equal(values[name], undefined, name)
    }
    assert.equal(values.numSV, 26)
  }
})

test('what the receiver does not know is absent', () => {
  const none = { 12: 255, 13: 255, 14: 255, 15: 255, 76: 0x0f, 77: 0x27 }
  const { tAcc, pDOP, headVeh, magDec, magAcc, lastCorrectionAge } = valuesOf(pvt(none))
  assert.deepEqual(
    [tAcc, pDOP, headVeh, magDec, magAcc, lastCorrectionAge],
    Array(6).fill(undefined),
  )
  const known = valuesOf(pvt({ 11: 15, 21: 0x21, 78: 0x06, 86: 1, 88: 0x38, 89: 0xff, 90: 10 }))
  assert.deepEqual(
    [known.headVeh, known.magDec, known.magAcc, known.lastCorrectionAge],
    [0.65536, -2, 0.1, 3],
  )
})

test('both lengths of NAV-PVT are read, a longer one too, and a shorter one is no frame', () => {
  const long = { ...valuesOf(pvt()) }
  assert.deepEqual(valuesOf(pvt({}, 84)), long)
  const payload = [...pvt().subarray(6, 98), 0, 0, 0, 0]
  assert.deepEqual(valuesOf(message(0x01, 0x07, payload)), long)
  assert.deepEqual(sayings(hear(ubx, pvt({}, 83))), [])
})

test('a place without a word about the fix is believed until the fix is denied', () => {
  const place = capture('ubx/pygpsdata-NAV.log')
  const at = find(place, [0x01, 0x02])
  const posllh = place.slice(at, at + 36)
  const lost = pvt({ 20: 0 })
  assert.equal(valuesOf(posllh).lat, 53.4507228)
  assert.deepEqual(doubts(hear(ubx, Uint8Array.of(...lost, ...posllh))), ['no fix'])
  // In one moment the denial may come second.
  const group = moments<number>(ubx)
  const said = sayings(hear(ubx, Uint8Array.of(...posllh, ...lost)))
  const ended = [...said.flatMap((one) => group.push(one, 0)), ...group.flush()]
  assert.deepEqual(
    ended.map(({ values }) => [values.lat, values.hMSL, values.numSV]),
    [[undefined, undefined, 26]],
  )
  const blind = [...posllh.subarray(6, 34)]
  blind.splice(20, 4, 255, 255, 255, 255)
  assert.deepEqual(doubts(hear(ubx, message(0x01, 0x02, blind))), ['no fix'])
})

test('NAV-SOL, NAV-TIMEUTC and NAV-SVINFO of older receivers are read', () => {
  const sol = new DataView(new ArrayBuffer(52))
  sol.setUint32(0, 560_117_000, true)
  sol.setInt16(8, 2186, true)
  sol.setUint8(10, 3)
  sol.setUint8(11, 0x0d)
  sol.setInt32(12, 380_364_578, true)
  sol.setInt32(16, -14_879_975, true)
  sol.setUint16(44, 101, true)
  sol.setUint8(47, 9)
  const bytes = (view: DataView) => [...new Uint8Array(view.buffer)]
  const values = valuesOf(message(0x01, 0x06, bytes(sol)))
  assert.deepEqual(
    [values.week, values.gpsfixOK, values.ecefX, values.ecefY, values.pDOP, values.numSV],
    [2186, true, 3_803_645.78, -148_799.75, 1.01, 9],
  )
  sol.setUint8(10, 0)
  assert.equal(valuesOf(message(0x01, 0x06, bytes(sol))).ecefX, undefined)
  const seen = [0, 0, 0, 0, 2, 4, 0, 0, 0, 65, 1, 7, 40, 30, 90, 0, 100, 0, 0, 0]
  const svinfo = valuesOf(message(0x01, 0x30, [...seen, 255, 120, 0, 0, 0, 165, 0, 0, 0, 0, 0, 0]))
  assert.deepEqual(
    [svinfo.svId, svinfo.used, svinfo.elev, svinfo.prRes, svinfo.glonass_in_view],
    ['R1 S120', 'R1', '30 -', '1 0', 1],
  )
  // An Antaris lists the channels that have no satellite, too.
  const idle = valuesOf(message(0x01, 0x30, [...seen, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
  assert.deepEqual([idle.svId, idle.numSvs, idle.gps_in_view], ['R1', 1, undefined])
})

test('messages of one time of week are one moment, sentences another', () => {
  const group = moments<number>(ubx)
  const said = sayings(hear(ubx, capture('ubx/pygpsdata-NAV.log')))
  const ended = [...said.flatMap((one) => group.push(one, 0)), ...group.flush()]
  const [moment] = ended
  assert.equal(ended.length, 1)
  assert.deepEqual(
    [moment?.values.hAcc, moment?.values.ttff, moment?.values.hDOP, moment?.values.gps_in_view],
    [1.491, 23.352, 0.58, 13],
  )
  const mixed = sayings(hear(ubx, capture('ubx/pygpsdata-MIXED3.log')))
  const groups = moments<number>(ubx)
  const all = [...mixed.flatMap((one) => groups.push(one, 0)), ...groups.flush()]
  assert.equal(all.length, 5)
  assert.deepEqual(
    all.map(({ values }) => values.gSpeed === undefined),
    [false, true, false, true, false],
  )
})

test('of two places in a moment the finer one stays', () => {
  const group = moments<number>(ubx)
  const fine = new DataView(new ArrayBuffer(36))
  const at = new DataView(pvt().slice(6).buffer)
  fine.setUint32(4, at.getUint32(0, true), true)
  for (const [to, from] of [
    [8, 24],
    [12, 28],
    [16, 32],
    [20, 36],
  ] as const)
    fine.setInt32(to, at.getInt32(from, true), true)
  fine.setInt8(24, 17)
  fine.setUint32(28, 14_910, true)
  const said = sayings(
    hear(ubx, Uint8Array.of(...pvt(), ...message(0x01, 0x14, [...new Uint8Array(fine.buffer)]))),
  )
  const [moment] = [...said.flatMap((one) => group.push(one, 0)), ...group.flush()]
  const [coarse, finer] = said.map(({ values }) => values)
  assert.ok(Math.abs(Number(finer?.lon) - Number(coarse?.lon) - 1.7e-8) < 1e-12)
  assert.deepEqual([moment?.values.lon, moment?.values.gSpeed], [finer?.lon, coarse?.gSpeed])
})

test('sentences on the port are read or told of, corrections are told of', () => {
  const gll = sentence('GNGLL,3203.94995,N,03446.42914,E,084158.00,A,D')
  assert.equal(sayings(hear(ubx, gll))[0]?.values.lat, 32.0658325)
  assert.deepEqual(doubts(hear(ubx, gll, { nmea: 'skip' })), ['an NMEA sentence'])
  const rtcm = doubts(hear(ubx, capture('ubx/pygpsdata-MIXED-RTCM3.log')))
  assert.deepEqual([...new Set(rtcm)], ['an RTCM message'])
})

test('a poll, an unknown message and one whose list is cut short are doubts', () => {
  assert.deepEqual(hear(ubx, message(0x01, 0x22, [1]))[0]?.said, {
    ok: false,
    doubt: 'unknown message',
    detail: 'NAV-CLOCK',
  })
  assert.deepEqual(doubts(hear(ubx, message(0x01, 0x07, []))), ['a poll'])
  assert.deepEqual(doubts(hear(ubx, message(0x01, 0x35, [0, 0, 0, 0, 1, 2, 0, 0, 0]))), [
    'message cut short',
  ])
})

test('what is not read has the name that the manuals give it', () => {
  const names = [
    ...[nameOf(0x01, 0x17), nameOf(0x06, 0x61), nameOf(0x0a, 0x21), nameOf(0x0a, 0x27)],
    ...[nameOf(0x0d, 0x15), nameOf(0x21, 0x11), nameOf(0x29, 0x07), nameOf(0x05, 0x00)],
  ]
  assert.deepEqual(names, [
    ...['NAV-PVAT', 'CFG-DOSC', 'MON-RXR', 'MON-PATCH', 'TIM-VCOCAL', 'LOG-BATCH', 'NAV2-PVT'],
    'ACK-NAK',
  ])
  assert.deepEqual([nameOf(0x01, 0xfe), nameOf(0x77, 0x0a)], ['NAV-fe', '77-0a'])
})

test('a length that its message cannot have swallows nothing', () => {
  const broken = pvt()
  broken[5] = 0x1f
  assert.equal(sayings(hear(ubx, Uint8Array.of(...broken, ...pvt()))).length, 1)
})

test('finds the same however the bytes are dealt, and with garbage between', () => {
  const log = capture('ubx/pygpsdata-MIXED-RTCM3.log')
  const whole = hear(ubx, log)
  for (const size of [1, 7, 64]) {
    const work = decoder(ubx, readOptions(ubx))
    const found = []
    for (let at = 0; at < log.length; at += size) found.push(...work.push(log.slice(at, at + size)))
    assert.deepEqual([...found, ...work.finish()], whole, `${size} bytes at a time`)
  }
  const garbage = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(garbage, garbage, (before, between) => {
      const bytes = Uint8Array.of(...before, ...pvt(), ...between, ...pvt(), ...pvt())
      const lats = sayings(hear(ubx, bytes)).flatMap(({ values }) => values.lat ?? [])
      assert.ok(lats.length >= 1 && lats.every((lat: Value) => lat === 53.4507228))
    }),
  )
})

test('any payload of any message gives numbers that are numbers, or doubts', () => {
  const ids = fc.constantFrom(0x02, 0x03, 0x04, 0x06, 0x07, 0x12, 0x14, 0x21, 0x30, 0x35)
  const payload = fc.uint8Array({ maxLength: 160 })
  fc.assert(
    fc.property(ids, payload, fc.boolean(), (id, bytes, version) => {
      const frame = version ? message(0x0a, 0x04, [...bytes]) : message(0x01, id, [...bytes])
      for (const { values } of sayings(hear(ubx, frame))) {
        for (const value of Object.values(values)) {
          assert.ok(typeof value !== 'number' || Number.isFinite(value))
        }
      }
    }),
    { numRuns: 500 },
  )
})

function find(bytes: Uint8Array, head: readonly number[]): number {
  const wanted = [0xb5, 0x62, ...head]
  return bytes.findIndex((_, at) => wanted.every((byte, n) => bytes[at + n] === byte))
}
