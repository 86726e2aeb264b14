/** What boards and libraries print in the wild, line by line as their examples do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lines } from '../../../drivers/lines/index.ts'
import { doubts, hear, sayings } from '../bench.ts'

const values = (text: string | Uint8Array, options: Record<string, unknown> = {}) =>
  sayings(hear(lines, text, options)).map((said) => said.values)

test('colours of a terminal, and what loggers put before a line, are no part of it', () => {
  const idf = '\x1b[0;32mI (1234) bme: t=21.5 h=40\x1b[0m\r\n\x1b[0;33mW (9) wifi: retry\x1b[0m\r\n'
  assert.deepEqual(values(idf), [{ t: 21.5, h: 40 }])
  const esphome =
    "[12:34:56][D][sensor:093]: 'Outside': Sending state 21.50000 °C with 1 decimals of accuracy\r\n" +
    "[D][sensor:093]: 'Humidity': Sending state 40.10 % with 1 decimals of accuracy\r\n" +
    '[12:34:57][C][logger:185]: Logger:\r\n'
  assert.deepEqual(values(esphome), [{ Outside: 21.5 }, { Humidity: 40.1 }])
  const tasmota =
    '00:00:10 MQT: tele/shed/SENSOR = {"Time":"2024-01-01T00:00:10","BME280":{"Temperature":21.5}}\r\n'
  assert.deepEqual(values(tasmota), [{ 'BME280.Temperature': 21.5 }])
  assert.deepEqual(values('12:34:56.789 -> t=21.5 h=40\n'), [{ t: 21.5, h: 40 }])
  assert.deepEqual(values('>t:21.5\n>h:40\n'), [{ t: 21.5 }, { h: 40 }])
  assert.deepEqual(values(Buffer.from('t=1\n\0t=21.5\0\n')), [{ t: 1 }, { t: 21.5 }])
})

test('a board that starts says so, and none of it is a reading', () => {
  const esp32 = [
    ...['ets Jun  8 2016 00:22:57', '', 'rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)'],
    ...['configsip: 0, SPIWP:0xee', 'clk_drv:0x00,q_drv:0x00,d_drv:0x00', 'mode:DIO, clock div:2'],
    ...['load:0x3fff0030,len:1344', 'ho 0 tail 12 room 4', 'entry 0x400805f0'],
  ]
  const esp8266 = [
    ...[' ets Jan  8 2013,rst cause:2, boot mode:(3,6)', 'load 0x4010f000, len 3460, room 16 '],
    ...['tail 4', 'chksum 0xcc', 'csum 0xc3', 'v00041fe0', '~ld'],
  ]
  for (const start of [esp32, esp8266]) {
    const heard = hear(lines, [...start, 'T:21.5,H:40', ''].join('\r\n'))
    assert.deepEqual(
      sayings(heard).map((said) => said.values),
      [{ T: 21.5, H: 40 }],
    )
    assert.deepEqual([...new Set(doubts(heard))], ['the board starts'])
  }
})

test('the registers of a board that dies are no readings, nor are addresses', () => {
  const died = [
    ...['PC      : 0x400d1234  PS      : 0x00060030  A0      : 0x800d5678', 'EXCVADDR: 0x00000000'],
    ...['epc1=0x40201234 epc2=0x00000000 epc3=0x00000000 excvaddr=0x00000000'],
    ...['sp: 3ffffdf0 end: 3fffffc0 offset: 01a0', 'Backtrace: 0x400d1234:0x3ffb1f60', ''],
  ]
  assert.deepEqual(values(died.join('\n')), [])
  assert.deepEqual(values('x\nflow: 12 mg/m3\nirr: 800 W/cm2\nat: 3ffe85f0\n'), [
    { flow: 12 },
    { irr_W_cm2: 800 },
  ])
})

test('units as the examples of libraries print them', () => {
  // Adafruit BME280, DHT and DallasTemperature; a BME680 has a unit that nobody knows here.
  const said = sayings(
    hear(
      lines,
      'Temperature = 21.50 *C\r\nTemperature = 21.50 Celsius, 70.70 Fahrenheit\r\nGas = 12.3 KOhms\r\n' +
        'Humidity: 40.20 %\tTemperature: 21.50 *C 70.70 *F\tHeat index: 20.75 *C 69.35 *F\r\n' +
        '27.4℃,67.7%\r\nTemp: 21.5 C (70.7 F)\r\n',
    ),
  )
  assert.deepEqual(
    said.map((one) => [one.values, one.units]),
    [
      [{ Temperature: 21.5 }, { Temperature: 'Cel' }],
      [{ Temperature: 21.5 }, { Temperature: 'Cel' }],
      [{ Gas_KOhms: 12.3 }, {}],
      [
        { Humidity: 40.2, Temperature: 21.5, Heat_index: 20.75 },
        { Humidity: '/100', Temperature: 'Cel', Heat_index: 'Cel' },
      ],
      [
        { c1: 27.4, c2: 67.7 },
        { c1: 'Cel', c2: '/100' },
      ],
      [{ Temp: 21.5 }, { Temp: 'Cel' }],
    ],
  )
})

test('keys of several words, values far from their key, several values to a key, and hex', () => {
  assert.deepEqual(values('PM 1.0: 5\t\tPM 2.5: 8\t\tPM 10: 9\n'), [
    { 'PM_1.0': 5, 'PM_2.5': 8, PM_10: 9 },
  ])
  assert.deepEqual(values('one reading:\t12.3\t| average:\t12.4\n'), [
    { one_reading: 12.3, average: 12.4 },
  ])
  assert.deepEqual(values('Temp:    21.5   Hum:   40\n'), [{ Temp: 21.5, Hum: 40 }])
  assert.deepEqual(values('a/g:\t-1234\t567\t16384\n'), [
    { a_g: -1234, 'a_g.1': 567, 'a_g.2': 16384 },
  ])
  assert.deepEqual(values('addr=0x76 id=0x60 t=21.5\n'), [{ addr: 0x76, id: 0x60, t: 21.5 }])
  assert.deepEqual(values('x\nypr\t12.34\t-5.6\t0.1\nnode2;21,5;40\n'), [
    { c2: 12.34, c3: -5.6, c4: 0.1 },
  ])
})

test('a key of the table and a number, with nothing but a blank between them', () => {
  const table = { fields: { light: { from: 'lux', unit: 'lx' }, temp: {} } }
  assert.deepEqual(values('x\nlux 123.4\ntemp 21.5 lux 7\nlux and temp\n', { table }), [
    { light: 123.4 },
    { light: 7, temp: 21.5 },
  ])
  assert.deepEqual(values('lux temp\n7 21.5\n8 22\n', { table }).at(-1), { light: 8, temp: 22 })
})

test('JSON over several lines, with a comma behind it, behind words, and as Python prints it', () => {
  assert.deepEqual(values('{\n  "t": 21.5,\n  "at": {\n    "h": [40]\n  }\n}\n{"t":1},\n'), [
    { t: 21.5, 'at.h.0': 40 },
    { t: 1 },
  ])
  assert.deepEqual(values("{'t': 21.5, 'ok': True, 'h': None, 'who': 'it is None'}\n"), [
    { t: 21.5, ok: true },
  ])
  assert.deepEqual(values('DATA {"t":21.5}\n'), [{ t: 21.5 }])
  // Cut off by a reset: the next begins anew.
  const cut = hear(lines, '{\n  "t": 21.5\n{\n  "t": 22\n}\n')
  assert.deepEqual([sayings(cut)[0]?.values, doubts(cut)], [{ t: 22 }, ['broken JSON']])
  const endless = hear(lines, `{\n${'"a": 1,\n'.repeat(2_000)}`)
  assert.ok(doubts(endless).includes('broken JSON'))
})

test('lines of whatever marks come to an end, say no number that is none, and never throw', () => {
  const part = fc.constantFrom(
    ...['{', '}', '[', ']', '"', "'", ':', '=', ',', ';', '\t', ' ', '\n', 't', '1', '.5', 'nan'],
    ...['\x1b[', 'm', '\0', '°C', 'load:0x', "[D][a:1]: 'x': Sending state ", '0x', '-> ', 'PM 2'],
    ...['(', ')', '<', '>', '&', 'Temp ', 'ppb', ' degrees C', '% rH', '\x02', '\x03', 'é', '{a:'],
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      for (const { values: said } of sayings(hear(lines, parts.join('')))) {
        for (const value of Object.values(said)) {
          if (typeof value === 'number') assert.ok(Number.isFinite(value))
        }
      }
    }),
    { numRuns: 2_000 },
  )
})
