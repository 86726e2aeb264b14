import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dataSets, readValue } from '../../drivers/d0/dataset.ts'
import { amount, obisFields, obisName, octets, shifted } from '../../drivers/obis.ts'
import { isFieldName } from '../../runtime/wire/reading.ts'
import { isUnit } from '../../runtime/wire/units.ts'

test('a code is its own name; the running period is left out, one of the past is kept', () => {
  assert.equal(obisName('1-0:1.8.0*255'), '1-0:1.8.0')
  assert.equal(obisName('1-0:1.8.0'), '1-0:1.8.0')
  assert.equal(obisName('1-0:1.8.0*01'), '1-0:1.8.0_01')
  assert.equal(obisName('1.8.0&12'), '1.8.0_12')
  assert.equal(obisName('0-0:96.1.255'), '0-0:96.1.255')
  assert.equal(obisName('F.F'), 'F.F')
  for (const no of ['', '*', '(x)', 'a b', 'é']) assert.equal(obisName(no), undefined, no)
})

test('whatever a meter calls a code, the name is one that a field may have', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (code) => {
      const name = obisName(code)
      assert.ok(name === undefined || isFieldName(`${name}_time`))
    }),
  )
})

test('titles say what a code measures, where and how', () => {
  const titles = (codes: string[], kilo = true) =>
    Object.values(obisFields(codes, kilo)).map(({ title, unit }) => `${title} (${unit ?? ''})`)
  assert.deepEqual(
    titles([
      '1-0:1.8.0',
      '1-0:2.8.2',
      '1-0:41.7.0',
      '1-0:6.8.0',
      '1-0:1.6.0',
      '1-0:52.7.0',
      '33.7.0',
    ]),
    [
      'active energy, imported (kWh)',
      'active energy, exported, tariff 2 (kWh)',
      'active power of L2, imported (kW)',
      'reactive energy, quadrant 2 (kvarh)',
      'active power, imported, highest average (kW)',
      'voltage of L2 (V)',
      'power factor of L1 ()',
    ],
  )
  assert.deepEqual(titles(['1-0:76.7.0', '1-0:9.8.0', '1-0:71.4.0'], false), [
    'active power of L3, imported less exported (W)',
    'apparent energy, imported (VAh)',
    'current of L3, limit (A)',
  ])
})

test('amounts are shifted by their digits, and large ones stay exact', () => {
  assert.deepEqual(amount('0029.055', 'MWh'), { value: 29055, unit: 'kWh' })
  assert.deepEqual(amount('-000115.94', 'W'), { value: -115.94, unit: 'W' })
  assert.deepEqual(amount('1', 'KVARH'), { value: 1, unit: 'kvarh' })
  assert.deepEqual(amount('1', 'kVArh'), { value: 1, unit: 'kvarh' })
  assert.deepEqual(amount('0.3', 'W', 'kW'), { value: 0.0003, unit: 'kW' })
  assert.deepEqual(amount('90', 'min', 'h'), { value: 1.5, unit: 'h' })
  assert.equal(amount('1', 'm3', 'kWh'), undefined)
  assert.equal(amount('1', 'imp/kWh'), undefined)
  assert.equal(amount('1e5', 'kWh'), undefined)
  assert.equal(amount('0x10', 'kWh'), undefined)
  assert.equal(shifted('900719925474099301', 1), 9007199254740993010n)
  assert.equal(shifted('3', -1), 0.3)
})

test('an amount has a unit of the table, whatever stands there', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (digits, unit) => {
      const found = amount(digits, unit)
      assert.ok(found === undefined || (found.unit !== undefined && isUnit(found.unit)))
    }),
  )
})

test('octets are the text that they are, and stand as they are where they are none', () => {
  assert.equal(octets('4B384547303034303436333935353037'), 'K8EG004046395507')
  assert.equal(octets('303132333435363700'), '01234567')
  for (const no of [
    '3960221976967177082151037881335713',
    '00000000000000',
    '50217',
    '',
    '40',
    'ADC3',
  ]) {
    assert.equal(octets(no), no)
  }
})

test('what fills octets up is no part of them, and a number that was sent as it is stays one', () => {
  assert.equal(octets('31323639333037322020202020202020', true), '12693072')
  assert.equal(octets('202020202020', true), '')
  assert.equal(octets('53264741', true), '53264741', 'as octets S&GA')
})

test('lines fall into data sets, and what is none is noticed', () => {
  const { sets, whole } = dataSets(
    '6.8(1*MWh)6.26(2*m3)\r\n\r\n0-1:24.3.0(09)(m3)\r\n(00001.001)\r\n',
  )
  assert.deepEqual(sets, [
    { code: '6.8', groups: ['1*MWh'] },
    { code: '6.26', groups: ['2*m3'] },
    { code: '0-1:24.3.0', groups: ['09', 'm3', '00001.001'] },
  ])
  assert.equal(whole, true)
  for (const broken of ['1.8.0(5', '1.8.0 5)', 'x 1.8.0(5)', '(5)', '1.8.0(5)z']) {
    assert.equal(dataSets(broken).whole, false, broken)
  }
})

test('brackets within a group are its text, and blanks between groups nothing', () => {
  assert.deepEqual(dataSets('1-0:0.2.8(5)\r\n1-0:0.2.0((ER11))\r\n1-1:0.2.8 (a) (b) '), {
    sets: [
      { code: '1-0:0.2.8', groups: ['5'] },
      { code: '1-0:0.2.0', groups: ['(ER11)'] },
      { code: '1-1:0.2.8', groups: ['a', 'b'] },
    ],
    whole: true,
  })
  const odd = dataSets('1-0:0.2.8(5)\r\n1-1:0.2.0((ER12)')
  assert.deepEqual(odd, { sets: [{ code: '1-0:0.2.8', groups: ['5'] }], whole: false })
})

test('bare digits are a name unless they count, and nothing is nothing', () => {
  assert.deepEqual(readValue('0002'), { value: '0002' })
  assert.deepEqual(readValue('0002', 'counts'), { value: 2 })
  assert.deepEqual(readValue('4.556'), { value: 4.556 })
  assert.deepEqual(readValue('1.10', 'names'), { value: '1.10' })
  for (const no of ['', ' ', '-----', '****', '??']) assert.equal(readValue(no), undefined)
})

test('what counts may have its unit without a star, or a star without a unit', () => {
  assert.deepEqual(readValue('999A', 'counts'), { value: 999, unit: 'A' })
  assert.deepEqual(readValue('01.234kW'), { value: 1.234, unit: 'kW' })
  assert.deepEqual(readValue('013925.5*', 'counts', 'kWh'), { value: 13925.5 })
  assert.deepEqual(readValue('999A'), { value: '999A' }, 'may be a name')
  assert.deepEqual(readValue('1.29A', 'names'), { value: '1.29A' })
  assert.deepEqual(readValue('1.29X'), { value: '1.29X' }, 'X is no unit')
})
