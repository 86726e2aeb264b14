import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ais } from '../../drivers/ais/index.ts'
import { report, sealed, sentences } from './aisbits.ts'
import { doubts, hear, sayings } from './bench.ts'
import { type Case, holdMap, type Names } from './maps.ts'

const knot = 1852 / 3600
const asIs = (...names: readonly string[]): Names =>
  Object.fromEntries(names.map((name) => [name, [name, 1]]))
const unread = (...names: readonly string[]): Names =>
  Object.fromEntries(names.map((name) => [name, null]))

const names: Names = {
  ...asIs(
    'type',
    'repeat',
    'mmsi',
    'lat',
    'lon',
    'accuracy',
    'course',
    'heading',
    'second',
    'status',
  ),
  ...asIs(
    'epfd',
    'epfd_text',
    'status_text',
    'raim',
    'to_bow',
    'to_stern',
    'to_port',
    'to_starboard',
  ),
  ...asIs(
    'callsign',
    'shiptype',
    'ais_version',
    'destination',
    'imo',
    'draught',
    'shipname',
    'dte',
  ),
  ...asIs(
    'cs',
    'dsc',
    'msg22',
    'band',
    'display',
    'part_num',
    'virtual_aid',
    'assigned',
    'regional',
  ),
  ...asIs('aid_type', 'aid_type_text', 'off_position', 'name'),
  speed: ['speed', knot],
  turn: ['turn', 1 / 60],
  timestamp: ['time', 1],
  // The words of theirs go further than the standard's; the code beside them is compared.
  shiptype_text: null,
  // How stations take turns on the air, spare bits, and what their program adds.
  ...unread('slot_timeout', 'sync_state', 'slot_number', 'slot_increment', 'slots_to_allocate'),
  ...unread('keep_flag', 'commstate_cs_fill', 'transmission_ctl', 'unit', 'mode'),
  ...unread('spare', 'spare2', 'scaled', 'device', 'class'),
  // 0, no special manoeuvre known, is absent.
  maneuver: null,
}

/** Their sentinels are numbers, and two of their six-bit letters are not those of the standard. */
function flat(expect: Case['expect']): Case['expect'] {
  const unknown: Readonly<Record<string, unknown>> = { lat: 91, lon: 181, heading: 511 }
  return Object.fromEntries(
    Object.entries(expect).map(([name, value]) => {
      if (value === unknown[name] || name === 'timestamp') return [name, null]
      if (name === 'imo') return [name, Number(value)]
      if (name === 'name') return [name, String(value).replace('-', '_').replace('`', "'")]
      return [name, value]
    }),
  )
}

holdMap('ais', ais, names, { flat, near: 1e-6, files: ['cases.json', 'cases-receivers.json'] })

const only = (text: string) => sayings(hear(ais, text))[0]

test('what is not available is absent', () => {
  const none = { turn: -128, speed: 1023, lon: 181 * 600_000, lat: 91 * 600_000 }
  const said = only(report({ ...none, course: 3600, heading: 511, second: 60, status: 15 }))
  assert.equal(said?.subject, '227006760')
  assert.deepEqual(Object.keys(said?.values ?? {}).sort(), [
    ...['accuracy', 'channel', 'mmsi', 'raim', 'repeat', 'type'],
  ])
})

test('a place off the map and a number that no station has make the message a doubt', () => {
  for (const change of [
    { lat: 90.1 * 600_000 },
    { lon: -180.1 * 600_000 },
    { mmsi: 1_000_000_000 },
  ]) {
    assert.deepEqual(doubts(hear(ais, report(change))), ['bad field'])
  }
  // One half of a place is none.
  const values = only(report({ lat: 91 * 600_000, lon: 600_000 }))?.values
  assert.deepEqual([values?.lat, values?.lon], [undefined, undefined])
})

test('the rate of turn follows its law to both sides, and past its scale is a side only', () => {
  const of = (turn: number) => only(report({ turn }))?.values
  assert.ok(Math.abs(Number(of(126)?.turn) - 708 / 60) < 0.02)
  assert.ok(Math.abs(Number(of(-126)?.turn) + 708 / 60) < 0.02)
  assert.deepEqual([of(127)?.turn, of(127)?.turning], [undefined, 'starboard'])
  assert.deepEqual([of(-127)?.turn, of(-127)?.turning], [undefined, 'port'])
  assert.deepEqual([of(0)?.turn, of(0)?.turning], [0, undefined])
})

test('seconds past 59 say why there are none', () => {
  assert.equal(only(report({ second: 63 }))?.values.positioning, 'inoperative')
  assert.equal(only(report({ second: 59 }))?.values.second, 59)
})

test('weather is read in SI units, and what was not measured is absent', () => {
  const [line = ''] = sentences(`
    8:6 0:2 2655619:30 0:2 1:10 31:6 ${11.5 * 60_000}:25 ${57.7 * 60_000}:24 1:1 14:5 9:5 30:6
    10:7 127:7 270:9 360:9 -55:11 101:7 -60:10 214:9 1:2
    0:1 50:7 1050:12 3:2 255:8 360:9 20:8 180:9 5:5 255:8 360:9 31:5
    12:8 4:6 200:9 255:8 63:6 360:9 13:4 41:10 7:3 510:9 0:2 0:10`)
  const said = only(line)
  assert.equal(said?.subject, '002655619')
  assert.deepEqual(said?.values, {
    ...{ type: 8, repeat: 0, mmsi: 2655619, lat: 57.7, lon: 11.5, accuracy: true },
    ...{ observed: '14T09:30Z', wspeed: 5.144444444, wdir: 270, temperature: -5.5, dewpoint: -6 },
    ...{ pressure: 101_300, pressuretend: 1, visgreater: false, visibility: 9260, waterlevel: 0.5 },
    ...{
      cspeed2: 1.028888889,
      cdir2: 180,
      cdepth2: 5,
      waveheight: 1.2,
      waveperiod: 4,
      wavedir: 200,
    },
    ...{ watertemp: 4.1, ice: 0, channel: 'A' },
  })
})

test('the older form of the weather counts from other zeros, and says the same', () => {
  // gpsdecode 3.22 reads these amounts in the same sentences, in knots, miles and hPa.
  const [line = ''] = sentences(`
    8:6 0:2 2655619:30 0:2 1:10 11:6 ${57.7 * 60_000}:24 ${11.5 * 60_000}:25 14:5 9:5 30:6
    10:7 20:7 270:9 280:9 655:11 81:7 260:10 214:9 1:2 50:8 105:9 2:2 25:8 90:9 20:8 180:9 5:5
    30:8 270:9 7:5 12:8 4:6 200:9 15:8 9:6 100:9 5:4 141:10 1:3 305:9 1:2 0:6`)
  const values = only(line)?.values ?? {}
  assert.deepEqual(
    [values.lat, values.lon, values.temperature, values.humidity, values.dewpoint, values.pressure],
    [57.7, 11.5, 5.5, 81, 6, 101_400],
  )
  assert.deepEqual(
    [values.visibility, values.waterlevel, values.watertemp, values.salinity, values.seastate],
    [9260, 0.5, 4.1, 30.5, 5],
  )
  assert.deepEqual(
    [values.cdir, values.cdir2, values.cdepth2, values.cdir3, values.cdepth3, values.wavedir],
    [90, 180, 5, 270, 7, 200],
  )
  assert.deepEqual(
    [values.swellheight, values.swellperiod, values.swelldir, values.wdir, values.wgustdir],
    [1.5, 9, 100, 270, 280],
  )
})

test('amounts that the weather has no meaning for are absent, as those not measured', () => {
  // Of pyais (MIT), tests/test_decode_8.py: each field out of its range, or not available.
  const said = only(
    '!AIVDO,1,1,,A,8@2R5Ph0BkJOd@RbUto6Owu`e6F<eNws2tQwu`wsAwwe7wwvlOwu`nFOwd,2*49\r\n',
  )
  assert.deepEqual(said?.values, {
    ...{ type: 8, repeat: 1, mmsi: 2655619, lat: 59.66375, lon: 18.931983333 },
    ...{ observed: '19T14:12Z', visibility: 2037.2, waterlevel: 30, own: true, channel: 'A' },
  })
})

test('the name of an aid goes on behind the twentieth letter, and a craft names her mother ship', () => {
  const letters = (text: string) => [...text].map((one) => `${one.charCodeAt(0) & 63}:6`).join(' ')
  const [aid = ''] = sentences(
    `21:6 0:2 992501000:30 20:5 ${letters('CARDINAL MARK NORTH ')} 0:1 600000:28 600000:27 0:30 7:4 60:6
     1:1 0:8 0:4 ${letters('OF BAY')}`,
  )
  const said = only(aid)
  assert.deepEqual(
    [said?.values.name, said?.values.off_position, said?.values.to_bow, said?.values.aid_type_text],
    ['CARDINAL MARK NORTH OF BAY', undefined, undefined, 'Cardinal mark N'],
  )
  const [craft = ''] = sentences('24:6 0:2 982270001:30 1:2 37:8 0:42 0:42 227006760:30 0:6')
  const values = only(craft)?.values
  assert.deepEqual([values?.mothership_mmsi, values?.to_bow], [227006760, undefined])
})

test('a position report may want its last bits, which say nothing of the ship', () => {
  const whole = report({ lon: 600_000 })
  const [, letters = ''] = /A,([^,]+),0/.exec(whole) ?? []
  const short = only(sealed(`AIVDM,1,1,,A,${letters.slice(0, -1)}0,5`))
  assert.deepEqual(short?.values, only(whole)?.values)
})

test('an aid to navigation may end before its last four bits', () => {
  // libais, issue 75.
  const values = only('!AIVDM,1,1,,,ENjV2Bw0`bPQbV::a2hJ00000000L7kPBmfv@1088;v0@,2*20\r\n')?.values
  assert.deepEqual(
    [values?.name, values?.lat, values?.epfd, values?.raim, values?.virtual_aid],
    ['AQUACULTURE 4', 65.84915, 7, undefined, undefined],
  )
})

test('cut short, empty, of letters that none has, of another kind: each is a doubt with its name', () => {
  const of = (body: string) => doubts(hear(ais, sealed(body)))
  assert.deepEqual(of('AIVDM,1,1,,A,15MrVH0000KH<:V:NtBLoqFP2,0'), ['message cut short'])
  assert.deepEqual(of('AIVDM,1,1,,A,1,0'), ['message cut short'])
  assert.deepEqual(of('AIVDO,1,1,,A,,0'), ['empty'])
  assert.deepEqual(of('AIVDM,1,1,,A,15MrVH0000KH<:V:NtXLoqFP2H9:,0'), ['bad payload'])
  assert.deepEqual(of('AIVDM,2,3,1,A,15MrVH0000KH<:V:NtBLoqFP2H9:,0'), ['bad field'])
  assert.deepEqual(of('AIVDM,1,1,,A,15MrVH'), ['bad field'])
  assert.deepEqual(doubts(hear(ais, sealed('GPHDT,12,T', '$'))), ['unknown sentence'])
  assert.deepEqual(doubts(hear(ais, '!AIVDM,1,1,,A,15MrVH0000KH<:V:NtBLoqFP2H9:,0\r\n')), [
    'no checksum',
  ])
})

test("the station's own report says so, and one without a check is unchecked where that is allowed", () => {
  const body = 'AIVDO,1,1,,,15MrVH0000KH<:V:NtBLoqFP2H9:,0'
  assert.equal(only(sealed(body))?.values.own, true)
  const [said] = sayings(hear(ais, `!${body}\r\n`, { checksum: 'optional' }))
  assert.deepEqual([said?.unchecked, said?.values.channel], [true, undefined])
})

test('a longer message than the book has is read', () => {
  const long = report()
    .slice(1)
    .replace(/,0\*.*/s, 'wwww,0')
  assert.equal(only(sealed(long))?.subject, '227006760')
})

test('any payload gives numbers that are numbers, or doubts', () => {
  const letters = fc.string({
    unit: fc.constantFrom(...'0158:;<BCEHKw`?@AGWX0123456789'),
    maxLength: 80,
  })
  fc.assert(
    fc.property(letters, fc.nat(6), (payload, fill) => {
      for (const { values } of sayings(hear(ais, sealed(`AIVDM,1,1,,A,${payload},${fill}`)))) {
        for (const value of Object.values(values)) {
          assert.ok(typeof value !== 'number' || Number.isFinite(value))
        }
      }
    }),
    { numRuns: 500 },
  )
})
