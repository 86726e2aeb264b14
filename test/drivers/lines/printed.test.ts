/** What more boards print: units of two words, keys of several, tags before a line and marks around it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lines } from '../../../drivers/lines/index.ts'
import { doubts, hear, sayings } from '../bench.ts'

/** Of one whole line, behind the first, which may be half of one. */
const values = (line: string, options: Record<string, unknown> = {}) =>
  sayings(hear(lines, `#\n${line}\n`, options)).map((said) => said.values)[0]

test('units of two words are one', () => {
  // Adafruit's examples of the AHT10, and others.
  const said = sayings(
    hear(lines, '#\nTemperature: 23.45 degrees C\nHumidity: 45.6% rH\nT: 74 deg F H: 40 % RH\n'),
  )
  assert.deepEqual(
    said.map((one) => [one.values, one.units]),
    [
      [{ Temperature: 23.45 }, { Temperature: 'Cel' }],
      [{ Humidity: 45.6 }, { Humidity: '%RH' }],
      [{ T_F: 74, H: 40 }, { H: '%RH' }],
    ],
  )
})

test('words behind a value are of the next key', () => {
  const rows: readonly (readonly [string, object])[] = [
    ['Temp C: 23.50 Temp F: 74.30', { Temp_C: 23.5, Temp_F: 74.3 }],
    [
      'Device Address: 28FF641D8D1603A2 Temp C: 23.50 Temp F: 74.30',
      { Temp_C: 23.5, Temp_F: 74.3 },
    ],
    ['Temp: 23.5 C Rel Humidity: 45 %', { Temp: 23.5, Rel_Humidity: 45 }],
    ['Bus Voltage: 5.01 V Load Current: 12 mA', { Bus_Voltage: 5.01, Load_Current: 12 }],
    ['Accel X: 0.1 Accel Y: 0.2', { Accel_X: 0.1, Accel_Y: 0.2 }],
    ['Gas: 12.3 KOhms Temp: 23', { Gas_KOhms: 12.3, Temp: 23 }],
    [
      'Humidity: 45.0 % Temperature: 23.4 *C 74.1 *F Heat index: 22.9 *C',
      { Humidity: 45, Temperature: 23.4, Heat_index: 22.9 },
    ],
    ['name: Living Room temp: 23', { temp: 23 }],
  ]
  for (const [line, said] of rows) assert.deepEqual(values(line), said, line)
})

test('keys in any alphabet, with brackets and signs in them', () => {
  assert.deepEqual(values('Température: 23,4 °C'), { Temperature: 23.4 })
  assert.deepEqual(values('Temp (°C): 23.4, Temp [°F]: 74'), { Temp_C: 23.4, Temp_F: 74 })
  assert.deepEqual(values('Sensor [kitchen]: 23.4'), { Sensor_kitchen: 23.4 })
  const table = { fields: { temperature: { from: '温度', unit: 'Cel' } } }
  assert.deepEqual(values('温度: 23.4 ℃ 湿度: 45 %', { table }), { temperature: 23.4 })
  assert.deepEqual(
    sayings(hear(lines, '°C,%,hPa\n23.4,45,1013\n')).map((said) => said.values),
    [{ C: 23.4, c2: 45, hPa: 1013 }],
  )
})

test('pairs that no mark joins are read where a unit, brackets or their turn tells', () => {
  assert.deepEqual(values('TVOC 0 ppb\teCO2 400 ppm'), { TVOC: 0, eCO2: 400 })
  assert.deepEqual(values('CO2[400] tVOC[0] millis[1234]'), { CO2: 400, tVOC: 0, millis: 1234 })
  assert.deepEqual(values('CPS, 0, CPM, 12, uSv/hr, 0.07, SLOW'), { CPS: 0, CPM: 12, uSv_hr: 0.07 })
  assert.deepEqual(values('temp 23.4 hum 45'), { temp: 23.4, hum: 45 })
  assert.deepEqual(values('temp=23.4&hum=45'), { temp: 23.4, hum: 45 })
  assert.deepEqual(doubts(hear(lines, '#\nroom 101 is warm\n')), Array(2).fill('not understood'))
  // A table that numbers its columns counts words as they stand.
  const table = { fields: { temp: { from: 2 }, hum: { from: 5 } } }
  assert.deepEqual(values('t 23.4 C h 45 %', { table }), { temp: 23.4, hum: 45 })
  assert.deepEqual(values('kitchen,23.4,ok,45,7', { table }), { temp: 23.4, hum: 7 })
})

test('what changes from line to line is no header', () => {
  const printed = '#\nRaw H2 13000 \tRaw Ethanol 18000\nRaw H2 13001 \tRaw Ethanol 18002\n'
  assert.deepEqual(
    sayings(hear(lines, printed)).map((said) => said.values),
    [{ Raw_H2: 13_001, Raw_Ethanol: 18_002 }],
  )
  const table = { fields: { h2: { from: 'Raw H2' } } }
  assert.deepEqual(values('Raw H2 13000 \tRaw Ethanol 18000', { table }), { h2: 13_000 })
})

test('tags before a line and marks around it are no part of it', () => {
  assert.deepEqual(values('[ 1234 ms ] IR: 12  Full: 34  Lux: 12.34'), {
    IR: 12,
    Full: 34,
    Lux: 12.34,
  })
  assert.deepEqual(values('[INFO] {"t":1}'), { t: 1 })
  assert.deepEqual(values('DEBUG - t=1'), { t: 1 })
  assert.deepEqual(values('INFO: Temp: 23.4'), { Temp: 23.4 })
  assert.deepEqual(values('<t=21.5,h=40>'), { t: 21.5, h: 40 })
  assert.deepEqual(values('(21.5,45.6)'), { c1: 21.5, c2: 45.6 })
  assert.deepEqual(values('[21.5, 45.6]'), { 0: 21.5, 1: 45.6 })
  assert.deepEqual(doubts(hear(lines, '#\n[21.5] [45.6]\n[1,2],[3]\n')).slice(1), [
    'broken JSON',
    'broken JSON',
  ])
  // A Gill WindSonic: STX, cells, ETX and a checksum of them.
  const table = {
    columns: ['node', 'direction', 'speed', 'unit', 'status', 'end'],
    fields: { direction: { unit: 'deg' }, speed: { unit: 'm/s' } },
  }
  assert.deepEqual(values('\x02Q,229,002.74,M,00,\x0316', { table }), {
    direction: 229,
    speed: 2.74,
  })
})

test('a number with its unit may be all that is printed, and a row may end with a comma', () => {
  const said = sayings(hear(lines, '123 cm\n124 cm\n'))
  assert.deepEqual(
    said.map((one) => [one.values, one.units]),
    [[{ c1: 124 }, { c1: 'cm' }]],
  )
  assert.deepEqual(
    sayings(hear(lines, 't,h,\n1,2,\n3,4,\n5,,\n')).map((one) => one.values),
    [{ t: 1, h: 2 }, { t: 3, h: 4 }, { t: 5 }],
  )
  const table = { columns: ['t', 'h'], fields: { t: { unit: 'Cel' }, h: { unit: '%RH' } } }
  assert.deepEqual(values('23.4 C 45 %', { table }), { t: 23.4, h: 45 })
  assert.deepEqual(values('23.4,45,', { table }), { t: 23.4, h: 45 })
  const scale = { columns: ['stable', 'mode', 'weight'], fields: { weight: { unit: 'kg' } } }
  assert.deepEqual(values('ST,GS,+  0.123kg', { table: scale }), { weight: 0.123 })
})

test('JSON with a comma behind the last member, and keys without quotes', () => {
  assert.deepEqual(values('{"t":23.4,"h":[1,2,],"at":"a,}",}'), { t: 23.4, 'h.0': 1, 'h.1': 2 })
  assert.deepEqual(values('{temperature: 23.4, at: {hum: nan, ok: true}}'), {
    temperature: 23.4,
    'at.ok': true,
  })
  assert.deepEqual(doubts(hear(lines, '{"t":23.4}{"t":24}\n')), ['broken JSON'])
})

test('numbers right behind their names are read from the second line on, which shows that they are', () => {
  assert.deepEqual(
    sayings(hear(lines, '#\nT23.4,H45\nT23.5,H46\nT23.6,H45.5\n')).map((said) => said.values),
    [
      { T: 23.5, H: 46 },
      { T: 23.6, H: 45.5 },
    ],
  )
  const table = { fields: { temperature: { from: 'T', unit: 'Cel' } } }
  assert.deepEqual(values('T23.4,H45', { table }), { temperature: 23.4 })
})

test('a comma behind a decimal point parts, and what is the same in other units is left out', () => {
  assert.deepEqual(values('GPS: 52.123456,4.567890'), { GPS: 52.123456, 'GPS.1': 4.56789 })
  assert.deepEqual(values('t:23,4,h:45,1'), { t: 23.4, h: 45.1 })
  for (const temperature of ['23.4C / 74.1F', '23.4 ºC', "23.4 'C", '23.4 oC', '23.4 ℃']) {
    const [said] = sayings(hear(lines, `#\nTemp: ${temperature}\n`))
    assert.deepEqual([said?.values, said?.units], [{ Temp: 23.4 }, { Temp: 'Cel' }], temperature)
  }
})

test('JSON between quotes or before a remark, and the frames of plotters', () => {
  assert.deepEqual(values(`b'{"t":23.4}\\r\\n'`), { t: 23.4 })
  assert.deepEqual(values('MQTT: {"t":23.4} sent'), { t: 23.4 })
  assert.deepEqual(values('{"t":23.4} OK'), { t: 23.4 })
  assert.deepEqual(values('>temp:1627551892437:21.5§°C|g'), { temp: 21.5 })
  assert.deepEqual(values('/*23.4,45.6*/'), { c1: 23.4, c2: 45.6 })
})
