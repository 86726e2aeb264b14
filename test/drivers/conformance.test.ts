/** The kit that drivers of other packages run on themselves, run on ours; and drivers that it must refuse. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { drivers } from '../../drivers/index.ts'
import { encodeAnswer } from '../../drivers/modbus/answer.ts'
import { encodeRequest } from '../../drivers/modbus/request.ts'
import { sds011 } from '../../drivers/sds011.ts'
import { conformance, type Evidence } from '../../runtime/sense/conformance.ts'
import type { Driver } from '../../runtime/sense/driver.ts'
import { wrongWith } from '../../runtime/sense/vocabulary.ts'
import { samples } from './samples.ts'

/** A meter of one phase, whose registers are all 1.0: half of a float is 3f80, the other 0. */
const meter = { function: 4, registers: [0x3f80, 0] } as const

/** What more there is to say of sensors that only speak when asked. */
const asked: Readonly<Record<string, Partial<Evidence>>> = {
  mhz19: { answer: (question) => (question[2] === 0x86 ? samples.mhz19 : undefined) },
  sps30: { answer: (question) => (question[2] === 3 ? samples.sps30 : undefined) },
  modbus: {
    options: { profile: 'sdm120' },
    capture: Uint8Array.of(
      ...encodeRequest(1, { function: 4, address: 0, count: 2 }),
      ...encodeAnswer(1, meter),
    ),
    answer([unit = 0, code = 0, , , high = 0, low = 0]) {
      if (code !== 4) return undefined
      const registers = Array.from(
        { length: high * 256 + low },
        (_, i) => meter.registers[i % 2] ?? 0,
      )
      return encodeAnswer(unit, { function: 4, registers })
    },
  },
}

for (const driver of drivers) {
  const capture = samples[driver.id] ?? assert.fail(`a sample of ${driver.id} is missing`)
  const evidence = { capture, ...asked[driver.id] }
  for (const { says, hold } of conformance(driver, evidence)) test(says, hold)
}

const frame = Buffer.from('aac0d4043a0aa1601dab', 'hex')

test('a driver with a hole is found out, each by the rule that it breaks', async () => {
  const { under: _, ...plain } = sds011
  const { shape } = plain
  // A driver must keep nothing of its own.
  let count = 0
  const holes: Readonly<Record<string, Driver>> = {
    'any one bit wrong': { ...plain, shape: { ...shape, flaw: () => undefined } },
    'cut into chunks': {
      ...plain,
      shape: { ...shape, size: (bytes) => (bytes.length < 10 ? 0 : 10) },
    },
    'reads its capture': { ...plain, shape: { ...shape, starts: Uint8Array.of(0x55) } },
    'what a reading can hold': {
      ...plain,
      decode: (frame, memory) => {
        const pm2_5 = frame[2] === 0xd4 ? 123.6 : Number.NaN
        return { memory, said: { ok: true, values: { pm2_5 } } }
      },
      shape: { ...shape, flaw: () => undefined },
    },
    'never throws': {
      ...plain,
      shape: {
        ...shape,
        flaw(frame) {
          if (frame[9] !== 0xab) throw new RangeError('no such thing')
          return shape.flaw(frame)
        },
      },
    },
    'cable was pulled': {
      ...plain,
      decode: (_frame, memory) => {
        count += 1
        return { memory, said: { ok: true, values: { pm2_5: count } } }
      },
    },
  }
  for (const [rule, driver] of Object.entries(holes)) {
    const broken: string[] = []
    for (const { says, hold } of conformance(driver, { capture: frame })) {
      await hold().catch(() => broken.push(says))
    }
    assert.ok(
      broken.some((says) => says.includes(rule)),
      `${rule}: ${broken.join('; ')}`,
    )
  }
})

test('what is no driver is refused with words that say what it lacks', () => {
  const { decode: _, ...mute } = sds011
  assert.deepEqual(wrongWith(sds011), [])
  assert.deepEqual(wrongWith(undefined), ['is no driver but undefined'])
  assert.deepEqual(wrongWith(mute), ['has no `decode`: it must be a function'])
  assert.deepEqual(wrongWith({ ...sds011, models: [], check: 8 }), [
    'has list as `models`: it must be an object',
    'has number as `check`: it must be a text',
  ])
  const fields = { 'p/m': { title: 'x', type: 'number', unit: 'furlong' } }
  assert.deepEqual(wrongWith({ ...sds011, id: 'SDS', silenceMs: 5, fields }), [
    'has an `id` that is not small letters, digits and -',
    'has a `silenceMs` below 1,000',
    'has a field p/m, which is no name of a field',
    'has the field p/m in furlong, which is no unit',
  ])
  fc.assert(fc.property(fc.anything(), (value) => wrongWith(value).length > 0))
})
