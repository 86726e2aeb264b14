import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeAnswer } from '../../../drivers/modbus/answer.ts'
import { modbus } from '../../../drivers/modbus/index.ts'
import { profiles } from '../../../drivers/modbus/profiles/index.ts'
import { decodeRequest, encodeRequest } from '../../../drivers/modbus/request.ts'
import { chooseDriver } from '../../../runtime/sense/choose.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { profileSchema } from '../../../runtime/sense/profile.ts'
import { isUnit } from '../../../runtime/wire/units.ts'
import { doubts, sayings } from '../bench.ts'

for (const [name, profile] of Object.entries(profiles)) {
  test(`the profile ${name} is a table that its own schema accepts, with its source`, () => {
    assert.deepEqual(profileSchema.parse(structuredClone(profile)), profile)
    assert.ok(profile.source)
    const { driver, options } = chooseDriver([modbus], name)
    assert.equal(driver.serial.baudRate, profile.baudRate)
    for (const field of driver.fieldsWith?.(options) ?? []) {
      const { unit } = driver.fields[field] ?? assert.fail(field)
      assert.ok(unit === undefined || isUnit(unit))
    }
    if (!name.startsWith('sdm')) return
    for (const { address, count, fields } of profile.blocks) {
      if (Object.values(fields).every(({ detail }) => detail)) continue
      assert.ok(count <= 80 && count % 2 === 0 && address % 2 === 0, 'as the maker wants it')
    }
  })
}

test('an SDM120 tells voltage, power and energy as floats under their OBIS codes', () => {
  const registers: number[] = Array(76).fill(0)
  float(registers, 0x00, 230.5)
  float(registers, 0x0c, -1500)
  float(registers, 0x46, 49.98)
  float(registers, 0x48, 1234.5)
  float(registers, 0x4a, Number.NaN)
  const [values] = read('sdm120', {}, 4, 0, registers.concat(Array(4).fill(0)))
  assert.equal(values?.['1-0:32.7.0'], 230.5)
  assert.equal(values?.['1-0:16.7.0'], -1500)
  assert.equal(Number(values?.['1-0:14.7.0']).toFixed(2), '49.98')
  assert.equal(values?.['1-0:1.8.0'], 1234.5)
  assert.equal(values?.['1-0:2.8.0'], undefined, 'NaN is no value')
})

test('what only the bench wants of a meter is not asked for, and read when somebody else asks', () => {
  const { driver, options } = chooseDriver([modbus], 'sdm630')
  const asked = new Set<string>()
  let memory = driver.begin(options, driver.serial)
  for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
    const turn = driver.ask?.(memory, nowMs) ?? assert.fail()
    memory = turn.memory
    if (turn.send === undefined) continue
    const { request } = decodeRequest(turn.send) ?? assert.fail()
    assert.ok(request.function === 4)
    asked.add(`${request.address}+${request.count}`)
    const said = encodeAnswer(1, { function: 4, registers: Array(request.count).fill(0) })
    memory = driver.decode(said, memory).memory
  }
  assert.deepEqual([...asked], ['0+80', '200+6', '224+2', '342+16'])
  assert.ok(!driver.fieldsWith?.(options)?.includes('voltage_thd_l1'))
  const [distorted] = read('sdm630', {}, 4, 0xea, [0x3fc0, 0])
  assert.deepEqual(distorted, { voltage_thd_l1: 1.5 })
  assert.deepEqual(read('sdm630', {}, 3, 0x14, [0x4040, 0]), [{ line_unit: 3 }])
})

test('a PZEM-004T has its numbers with the lowest register first', () => {
  const registers = [2301, 0x86a0, 1, 2200, 0, 0x0001, 2, 500, 95, 0xffff]
  assert.deepEqual(read('pzem-004t', {}, 4, 0, registers), [
    {
      ...{ '1-0:32.7.0': 230.1, '1-0:31.7.0': 100, '1-0:1.7.0': 220, '1-0:1.8.0': 131_073 },
      ...{ '1-0:14.7.0': 50, '1-0:13.7.0': 0.95, alarm: true },
    },
  ])
})

test('an XY-MD02 tells degrees below zero', () => {
  assert.deepEqual(read('xy-md02', {}, 4, 1, [0xffce, 455]), [{ temperature: -5, humidity: 45.5 }])
})

test('a Senseair S8 that reports an error is not believed', () => {
  const [good] = read('senseair-s8', { unit: 254 }, 4, 0, [0, 0, 0, 400])
  assert.equal(good?.co2, 400)
  assert.deepEqual(read('senseair-s8', { unit: 254 }, 4, 0, [0x20, 0, 0, 400]), [
    'the sensor reports an error',
  ])
})

test('every type and order of bytes reads back the number that was laid down', () => {
  const types = ['u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'f32', 'f64'] as const
  const orders = ['abcd', 'cdab', 'badc', 'dcba'] as const
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.constantFrom(...orders),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      (type, order, bits) => {
        const view = new DataView(new ArrayBuffer(8))
        const size = Number(type.slice(1)) / 8
        const written = lay(view, type, bits)
        const bytes = new Uint8Array(view.buffer, 0, size)
        const profile = table({ x: { title: 'x', address: 0, type, order } }, size / 2)
        const found = read('modbus', { profile }, 3, 0, words(reordered(bytes, order)))
        assert.deepEqual(found, Number.isFinite(Number(written)) ? [{ x: written }] : ['no value'])
      },
    ),
  )
})

test('tenths and thousandths come out as a person would write them', () => {
  const profile = table({ x: { title: 'x', address: 0, type: 'i16', scale: 0.1 } }, 1)
  fc.assert(
    fc.property(fc.integer({ min: -32_768, max: 32_767 }), (tenths) => {
      const [found] = read('modbus', { profile }, 3, 0, [tenths & 0xffff])
      assert.equal(String(found?.x), String(Number(`${tenths}e-1`) || 0))
    }),
  )
})

test('bits of a register, coils, and numbers that mean nothing', () => {
  const profile = {
    title: 'mixed',
    blocks: [
      {
        ...{ function: 3, address: 10, count: 2 },
        fields: {
          running: { title: 'running', address: 10, type: 'bit', bit: 3 },
          level: { title: 'level', address: 11, type: 'i16', none: [-32_768] },
        },
      },
      {
        ...{ function: 1, address: 100, count: 10 },
        fields: { door: { title: 'door', address: 109, type: 'bit' } },
      },
    ],
  }
  assert.deepEqual(read('modbus', { profile }, 3, 10, [8, 0x8000]), [{ running: true }])
  const work = chosen('modbus', { profile })
  work.push(encodeRequest(1, { function: 1, address: 100, count: 10 }))
  const heard = work.push(encodeAnswer(1, { function: 1, bits: Uint8Array.of(0, 2) }))
  assert.deepEqual(sayings(heard)[0]?.values, { door: true })
})

test('a field may bear any name, that of what is told of requests too', () => {
  const profile = table({ count: { title: 'cars', address: 0, type: 'u16' } }, 1)
  const { driver, options } = chooseDriver([modbus], 'modbus', { profile })
  assert.deepEqual(driver.fieldsWith?.(options), ['count'])
  assert.deepEqual(driver.fields.count, { title: 'cars', type: 'integer' })
})

test('generic reads any row, by its options or by the question that was heard', () => {
  const options = { function: 4, address: 7, count: 5, type: 'u32' }
  const { driver } = chooseDriver([modbus], 'modbus', options)
  assert.deepEqual(driver.fieldsWith?.(chooseDriver([modbus], 'modbus', options).options), [
    'r7',
    'r9',
  ])
  assert.deepEqual(read('modbus', {}, 3, 107, [44_609, 1]), [{ r107: 44_609, r108: 1 }])
  assert.deepEqual(read('modbus', { address: 65_535, type: 'f64' }, 3, 9, [0, 0, 0, 0]), [
    { r9: 0 },
  ])
})

test('what is wrong with a table is said with its place', () => {
  for (const [change, place, what] of [
    [{ count: 1 }, 'blocks.0.fields.x.address', /outside its block/],
    [{ function: 7 }, 'blocks.0.function', /not a function that reads/],
    [{ count: 200 }, 'blocks.0.count', /over 125/],
    [{ address: 65_530, count: 10 }, 'blocks.0.count', /past address 65535/],
    [{ fields: {} }, 'blocks.0.fields', /has no field/],
    [{ function: 1 }, 'blocks.0.fields.x.type', /not a bit/],
    [{ fields: { 'a b': x } }, 'blocks.0.fields.a b', /not a name/],
    [{ fields: { x: { ...x, unit: 'kWH' } } }, 'blocks.0.fields.x.unit', /not a unit/],
    [{ fields: { x: { ...x, scale: 0 } } }, 'blocks.0.fields.x.scale', /can not be 0/],
    [{ fields: { x: { ...x, bit: 2 } } }, 'blocks.0.fields.x.bit', /`type: bit`/],
  ] as const) {
    const [block] = table({ x }, 2).blocks
    const { error } = profileSchema.safeParse({ title: 't', blocks: [{ ...block, ...change }] })
    const places = error?.issues.map(({ path }) => path.join('.')) ?? []
    const at = places.indexOf(place)
    assert.ok(at >= 0, `${place} is not in ${places.join(', ')}`)
    assert.match(error?.issues[at]?.message ?? '', what)
  }
})

const x = { title: 'x', address: 0, type: 'u32' }

function table(fields: Record<string, object>, count: number) {
  return { title: 'a table', blocks: [{ function: 3, address: 0, count, fields }] }
}

function chosen(name: string, options: Record<string, unknown>) {
  const { driver, options: values } = chooseDriver([modbus], name, options)
  return decoder(driver, values)
}

/** Values and doubts that these registers give when they are asked for. */
function read(
  name: string,
  options: Record<string, unknown>,
  code: 3 | 4,
  address: number,
  registers: readonly number[],
): Record<string, unknown>[] {
  const unit = Number(options.unit ?? 1)
  const work = chosen(name, options)
  work.push(encodeRequest(unit, { function: code, address, count: registers.length }))
  const heard = work.push(encodeAnswer(unit, { function: code, registers }))
  const measured = sayings(heard).map(({ values }) => values)
  return [...measured, ...(doubts(heard) as unknown as Record<string, unknown>[])]
}

function float(registers: number[], at: number, value: number) {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  registers.splice(at, 2, view.getUint16(0), view.getUint16(2))
}

/** Writes the low bits as this type, highest byte first; what they mean. */
function lay(view: DataView, type: string, bits: bigint): number | bigint {
  if (type === 'f32') view.setUint32(0, Number(BigInt.asUintN(32, bits)))
  else view.setBigUint64(0, BigInt.asUintN(64, bits << BigInt(64 - Number(type.slice(1)))))
  const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
  if (type === 'f32') return view.getFloat32(0) + 0
  if (type === 'f64') return view.getFloat64(0) + 0
  const wide = BigInt(type.slice(1))
  const unsigned = BigInt.asUintN(Number(wide), bits)
  return exact(type.startsWith('u') ? unsigned : BigInt.asIntN(Number(wide), bits))
}

/** Bytes that stand highest first, as a device with this order sends them. */
function reordered(bytes: Uint8Array, order: string): Uint8Array {
  const pairs = Array.from({ length: bytes.length / 2 }, (_, i) => [
    ...bytes.subarray(2 * i, 2 * i + 2),
  ])
  const rows = order === 'cdab' || order === 'dcba' ? pairs.toReversed() : pairs
  const swaps = order === 'badc' || order === 'dcba'
  return Uint8Array.from(rows.flatMap((pair) => (swaps ? pair.toReversed() : pair)))
}

function words(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    return ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)
  })
}
