/**
 * Every family on a real serial port: found by what it said to others, or by asking, and read by the lines
 * that are printed for the config, as they are printed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startModbusLine } from '../../demo/modbus.ts'
import { openLine } from '../../demo/pty.ts'
import { startSensors } from '../../demo/sensors.ts'
import { drivers } from '../../drivers/index.ts'
import { checkConfig } from '../../runtime/commands/config.ts'
import { render, sensorText } from '../../runtime/commands/init.ts'
import { type FoundPort, findOn } from '../../runtime/sense/find.ts'
import { openPort } from '../../runtime/sense/port.ts'
import type { Sniffing } from '../../runtime/sense/sniff.ts'
import { capture, cases } from '../drivers/bench.ts'
import { samples } from '../drivers/samples.ts'
import { hearAll, until } from './live.ts'

const patience = { waitMs: 600, listenMs: 450, answerMs: 200 }
const empty = render([], { broker: 'mqtt://127.0.0.1:1883', folder: './x', probe: false })

const inHex = (family: string, name: string) =>
  cases<{ name: string; input_hex: string }>(`${family}/cases.json`)
    .filter((one) => one.name.startsWith(name))
    .map(({ input_hex }) => new Uint8Array(Buffer.from(input_hex, 'hex')))
const inText = (family: string, name: string) =>
  cases<{ name: string; input_text: string[] }>(`${family}/cases.json`)
    .filter((one) => one.name === name)
    .map(({ input_text }) => new Uint8Array(Buffer.from(input_text.join(''), 'latin1')))

const quick = { baudRate: 500_000, periodMs: 60 }

/** What a family's sensors sent, and as what it is found; a pty has no speed, so none is asked for. */
const spoken: Readonly<Record<string, readonly [bursts: readonly Uint8Array[], as: string]>> = {
  'a PMS5003T': [inHex('plantower', 'PMS5003T'), 'plantower certain'],
  'an SDS198': [inHex('sds011', 'SDS198'), 'sds011 certain'],
  'an SPS30 that somebody else asks': [inHex('sps30', 'SPS30'), 'sps30 certain'],
  'an MH-Z19 that somebody else asks': [inHex('mhz19', 'mh-z19-rs'), 'mhz19 certain'],
  'a GNSS receiver': [[capture('nmea0183/pygpsdata-nmea2.log')], 'nmea0183 certain'],
  'an AIS receiver with its own position': [[capture('ais/gpsd-ait250.log')], 'ais certain'],
  'a u-blox receiver': [[capture('ubx/pygpsdata-NAV.log')], 'ubx certain'],
  'a u-blox receiver that says NMEA too': [[capture('ubx/pygpsdata-MIXED3.log')], 'ubx certain'],
  'a smart shunt': [[samples.vedirect ?? new Uint8Array(0)], 'vedirect certain'],
  'a meter of P1': [[capture('dsmr/TELEGRAM_V5.txt')], 'dsmr certain'],
  'an old meter of P1, without a checksum': [[capture('dsmr/TELEGRAM_V2_2.txt')], 'dsmr likely'],
  'a meter of SML': [
    [capture('sml/smartmeter-obis-ttyUSB0-3.dump').subarray(0, 3_000)],
    'sml certain',
  ],
  'a meter of heat': [inText('d0', 'testLocalFileD0'), 'd0 likely'],
  'a meter that pushes as P1 does': [inText('d0', 'testSerialResponseD0FastSend'), 'dsmr likely'],
  // Clean text at any speed: those who keep to another one are shown it too.
  'an old meter on a port without a speed': [
    [capture('dsmr/TELEGRAM_ESY5Q3DA1004_V304.txt')],
    'dsmr likely',
  ],
  'a sketch': [[new Uint8Array(Buffer.from('{"t":23.5,"h":40}\r\n'))], 'lines likely'],
}

for (const [what, [bursts, as]] of Object.entries(spoken)) {
  test(`${what} is found as ${as}, and read by the lines that are printed for it`, async () => {
    assert.ok(bursts.length > 0)
    const sensors = await startSensors([{ name: 'it', bursts, ...quick }])
    try {
      const found = await find(String(sensors.paths.it), 'none')
      assert.equal(`${found.driver?.split('.')[0]} ${found.sure}`, as)
      await reads(found)
    } finally {
      await sensors.stop()
    }
  })
}

const data = '1.8.0(000285.4*kWh)\r\n!\r\n\x03'
const block = `\x02${data}${String.fromCharCode([...data].reduce((sum, c) => sum ^ c.charCodeAt(0), 0))}`

/** What a sensor answers to the questions that it knows, and the options that it is found with. */
type Asked = {
  readonly answers: Readonly<Record<string, Uint8Array | string | undefined>>
  readonly options?: object
  /** It is asked after half a minute only, when its fan has blown it free. */
  readonly blowsFree?: true
}
const asked: Readonly<Record<string, Asked>> = {
  mhz19: { answers: { ff0186: samples.mhz19 } },
  sps30: {
    answers: {
      // Its product type, 00080000.
      '7e00d001002e7e': shdlc(0, 0xd0, 0, 9, ...Buffer.from('00080000\0')),
      '7e000300': samples.sps30,
    },
  },
  sds011: { answers: { aab404: samples.sds011 }, options: { mode: 'ask' }, blowsFree: true },
  plantower: {
    answers: { '424de2': samples.plantower },
    options: { mode: 'ask' },
    blowsFree: true,
  },
  d0: { answers: { '2f3f': '/ELS0\\@V9.30\r\n', '06': block }, options: { mode: 'ask' } },
}

for (const [driver, { answers, options, blowsFree }] of Object.entries(asked)) {
  test(`${driver} that is silent is found by a question that changes nothing, and then asked`, async () => {
    const line = await openLine()
    line.onData((chunk) => {
      const question = Buffer.from(chunk).toString('hex')
      const [, said] = Object.entries(answers).find(([begin]) => question.includes(begin)) ?? []
      if (said !== undefined)
        line.write(typeof said === 'string' ? Buffer.from(said, 'latin1') : said)
    })
    try {
      assert.equal((await find(line.path, 'none')).trouble, 'nothing speaks here')
      const found = await find(line.path, 'private')
      assert.deepEqual([found.driver, found.options], [driver, options])
      const checked = check(found)
      assert.ok(checked.ok, JSON.stringify(checked))
      if (!blowsFree) await reads(found)
    } finally {
      await line.close()
    }
  })
}

test('a Modbus slave is asked only where all may be, and read by the lines that are printed', async () => {
  const line = await startModbusLine([{ unit: 1, registers: () => [42] }])
  try {
    assert.equal((await find(line.path, 'private')).trouble, 'nothing speaks here')
    const found = await find(line.path, 'all')
    assert.equal(found.driver, 'modbus')
    await reads(found)
  } finally {
    await line.stop()
  }
})

test('garbage is nobody, and silence is silence', async () => {
  let state = 7
  const noise = Uint8Array.from({ length: 4_000 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 24
  })
  for (const bytes of [noise, new Uint8Array(200)]) {
    const sensors = await startSensors([{ name: 'it', bursts: [bytes], ...quick }])
    try {
      const found = await find(String(sensors.paths.it), 'none', { ...patience, listenMs: 120 })
      assert.deepEqual([found.driver, found.trouble], [undefined, 'no driver understood what came'])
    } finally {
      await sensors.stop()
    }
  }
})

/** A frame of an SPS30, none of whose bytes wants to be stuffed. */
function shdlc(...bytes: readonly number[]): Uint8Array {
  const check = ~bytes.reduce((sum, byte) => sum + byte, 0) & 0xff
  return Uint8Array.of(0x7e, ...bytes, check, 0x7e)
}

function find(path: string, asks: Sniffing['asks'], more = patience): Promise<FoundPort> {
  const port = { path, device: path, named: 'as is', remarks: [] } as const
  const { signal } = new AbortController()
  return findOn(port, { drivers, open: openPort, asks, signal, patience: more })
}

/** A config with the lines that are printed for what was found. */
function check(found: FoundPort) {
  return checkConfig(empty.replace(/(?<=^sensors:\n)(?: {2}.*\n)+/m, sensorText(found, 'it')))
}

async function reads(found: FoundPort) {
  const checked = check(found)
  if (!checked.ok) assert.fail(JSON.stringify(checked.problems))
  const [sensor] = checked.value.sensors
  const { driver, port: path, options, baudRate, parity } = sensor ?? assert.fail('no sensor')
  const serial = { ...(baudRate && { baudRate }), ...(parity && { parity }) }
  const heard = hearAll([{ name: 'it', driver, path, options, serial }])
  await until(() => heard.readings.length > 0).finally(heard.stop)
}
