/** What a table of one's own can say of a register, beyond plain numbers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeAnswer } from '../../../drivers/modbus/answer.ts'
import { modbus } from '../../../drivers/modbus/index.ts'
import { encodeRequest } from '../../../drivers/modbus/request.ts'
import { chooseDriver } from '../../../runtime/sense/choose.ts'
import { decoder } from '../../../runtime/sense/decoder.ts'
import { profileSchema } from '../../../runtime/sense/profile.ts'

const at0 = { title: 'it', address: 0 }

test('an offset is added to what is scaled, and tenths stay tenths', () => {
  const inside = { ...at0, type: 'u16', scale: 0.1, offset: -40, unit: 'Cel' }
  assert.equal(said(inside, [231]), -16.9)
  assert.equal(said(inside, [400]), 0)
  assert.equal(said({ ...at0, type: 'i16', scale: 0.1, offset: 0.05 }, [1]), 0.15)
  assert.equal(said({ ...at0, type: 'u16', scale: 2, offset: 1 }, [4]), 9)
})

test('digits in BCD are a number, and what is no digit is no value', () => {
  assert.equal(said({ ...at0, type: 'bcd16' }, [0x1234]), 1234)
  assert.equal(said({ ...at0, type: 'bcd32', scale: 0.01, unit: 'kWh' }, [0x0012, 0x3456]), 1234.56)
  assert.equal(said({ ...at0, type: 'bcd32', order: 'cdab' }, [0x3456, 0x0012]), 123_456)
  assert.equal(said({ ...at0, type: 'bcd64' }, [0x9007, 0x1992, 0x5474, 0x0993]), 9007199254740993n)
  assert.equal(said({ ...at0, type: 'bcd16' }, [0xffff]), undefined)
})

test('letters in registers are a text up to the first zero', () => {
  const name = { ...at0, type: 'text', count: 4 }
  assert.equal(said(name, [0x5344, 0x4d31, 0x3230, 0x0000]), 'SDM120')
  assert.equal(said({ ...name, order: 'badc' }, [0x4453, 0x314d, 0x3032, 0x2020]), 'SDM120')
  assert.equal(said(name, [0x0000, 0x4d31, 0, 0]), undefined)
  assert.equal(said(name, [0xffff, 0x0201, 0, 0]), undefined)
})

test('a mask takes some bits of a register, and words say what they mean', () => {
  const state = { ...at0, type: 'u16', mask: 0x0030 }
  assert.equal(said(state, [0xffef]), 2)
  assert.equal(said({ ...at0, type: 'u32', mask: 0x8000_0000 }, [0x8000, 0]), 1)
  assert.equal(said({ ...at0, type: 'i16', mask: 0x8000 }, [0x8001]), 1)
  const worded = { ...state, words: { 0: 'off', 2: 'heating' } }
  assert.equal(said(worded, [0x0020]), 'heating')
  assert.equal(said(worded, [0x0000]), 'off')
  assert.equal(said(worded, [0x0030]), '3')
  assert.equal(said({ ...at0, type: 'i16', words: { '-1': 'gone' } }, [0xffff]), 'gone')
})

test('a power of ten in another register is applied, and without it there is no value', () => {
  const fields = {
    power: { ...at0, type: 'i16', exponent: 'power_sf', unit: 'W', none: [0x8000] },
    power_sf: { title: 'its power of ten', address: 1, type: 'i16', detail: true },
  }
  const block = { function: 3, address: 0, count: 2, fields }
  const profile = { title: 'SunSpec, model 103', blocks: [block] }
  const read = (registers: readonly number[]) => {
    const { driver, options } = chooseDriver([modbus], 'modbus', { profile })
    assert.equal(driver.fields.power?.type, 'number')
    const work = decoder(driver, options)
    work.push(encodeRequest(1, { function: 3, address: 0, count: registers.length }))
    const [heard] = work.push(encodeAnswer(1, { function: 3, registers }))
    return heard?.said.ok ? heard.said.values.power : undefined
  }
  assert.equal(read([12_345, 0xfffe]), 123.45)
  assert.equal(read([0xffff, 1]), -10)
  assert.equal(read([0x8000, 0]), undefined)
  assert.equal(read([5, 0x8000]), undefined)
  assert.equal(read([5]), undefined, 'the other register was not read')
  const alone = { ...block, fields: { power: fields.power } }
  const [issue] = profileSchema.safeParse({ ...profile, blocks: [alone] }).error?.issues ?? []
  assert.deepEqual(issue?.path, ['blocks', 0, 'fields', 'power', 'exponent'])
})

test('no value is no value as the manual writes it, signed or not, and as floats come', () => {
  assert.equal(said({ ...at0, type: 'i16', none: [0x8000] }, [0x8000]), undefined)
  assert.equal(said({ ...at0, type: 'i16', none: [-32_768] }, [0x8000]), undefined)
  assert.equal(said({ ...at0, type: 'i32', none: [0x8000_0000] }, [0x8000, 0]), undefined)
  assert.equal(said({ ...at0, type: 'u32', none: [0xffff_ffff] }, [0xffff, 0xffff]), undefined)
  assert.equal(said({ ...at0, type: 'f32', none: [-999.9] }, [0xc479, 0xf99a]), undefined)
  assert.equal(said({ ...at0, type: 'i16', none: [0x8000] }, [0x7fff]), 32_767)
})

test('what its type leaves no sense in is said with its place', () => {
  for (const [field, key, what] of [
    [{ type: 's16' }, 'type', /not a type; there are bit, u16, i16/],
    [{ type: 'text' }, 'count', /`type: text` and `count`/],
    [{ type: 'u16', count: 2 }, 'count', /`type: text` and `count`/],
    [{ type: 'text', count: 2, order: 'cdab' }, 'order', /letters stand in order/],
    [{ type: 'text', count: 2, unit: 'V' }, 'unit', /not for a text/],
    [{ type: 'u16', words: { 0: 'off' }, scale: 2 }, 'scale', /not for a text/],
    [{ type: 'bit', bit: 0, offset: 2 }, 'offset', /not for a bit/],
    [{ type: 'f32', mask: 3 }, 'mask', /for whole numbers/],
    [{ type: 'f32', words: { 0: 'off' } }, 'words', /for whole numbers/],
    [{ type: 'u16', words: { off: 'off' } }, 'words.off', /not a whole number|invalid/i],
  ] as const) {
    const { error } = profileSchema.safeParse(table({ ...at0, ...field }))
    const places = error?.issues.map(({ path }) => path.join('.')) ?? []
    const at = places.indexOf(`blocks.0.fields.it.${key}`)
    assert.ok(at >= 0, `${key} is not in ${places.join(', ')}`)
    assert.match(error?.issues[at]?.message ?? '', what)
  }
})

test('an address as manuals count it is answered with that on the wire', () => {
  for (const [address, what] of [
    [30_073, /register 30073 of a manual is 72 of function 4$/],
    [40_001, /register 40001 of a manual is 0 of function 3$/],
    [7, /it reads 0 to 3$/],
  ] as const) {
    const { error } = profileSchema.safeParse(table({ title: 'it', address, type: 'u16' }))
    assert.match(error?.issues[0]?.message ?? '', what)
  }
})

test('a doubt that could never come is a mistake: words and texts have no bits', () => {
  const doubts = [{ field: 'it', mask: 2, says: 'it is broken' }]
  const flaw = (field: object) =>
    profileSchema.safeParse({ ...table({ ...at0, ...field }), doubts }).error?.issues[0]
  assert.equal(flaw({ type: 'u16' }), undefined)
  for (const field of [
    { type: 'u16', words: { 2: 'fault' } },
    { type: 'text', count: 1 },
    { type: 'f32' },
  ]) {
    assert.deepEqual(flaw(field)?.path, ['doubts', 0, 'field'])
    assert.match(flaw(field)?.message ?? '', /says no bits/)
  }
})

test('a unit that is none is answered with the one that was probably meant', () => {
  for (const [unit, what] of [
    ['°C', /perhaps Cel:/],
    ['C', /coulomb; degrees Celsius are Cel/],
    ['%', /perhaps \/100 or %RH:/],
    ['kWH', /perhaps kWh:/],
    ['parsec cubed', /^not a unit; docs\/drivers\.md lists them$/],
    [7, /^not a unit/],
  ] as const) {
    const { error } = profileSchema.safeParse(table({ ...at0, type: 'u16', unit }))
    assert.match(error?.issues[0]?.message ?? '', what)
  }
})

function table(field: object) {
  return {
    title: 'a table',
    blocks: [{ function: 3, address: 0, count: 4, fields: { it: field } }],
  }
}

/** What a table with this one field says of these registers; undefined for nothing. */
function said(field: object, registers: readonly number[]) {
  const { driver, options } = chooseDriver([modbus], 'modbus', { profile: table(field) })
  const work = decoder(driver, options)
  work.push(encodeRequest(1, { function: 3, address: 0, count: registers.length }))
  const [heard] = work.push(encodeAnswer(1, { function: 3, registers }))
  return heard?.said.ok ? heard.said.values.it : undefined
}
