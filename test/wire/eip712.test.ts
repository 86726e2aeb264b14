import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { hex, unhex } from '../../runtime/wire/bytes.ts'
import { channelId, settlementDomain } from '../../runtime/wire/channel.ts'
import {
  domainSeparator,
  hashTypedData,
  type Member,
  structType,
} from '../../runtime/wire/eip712.ts'
import { digestOf, structHash, type TypeName, typeStrings } from '../../runtime/wire/typed.ts'
import { config, rail } from '../vectors/money/sample.ts'

type Field = { readonly name: string; readonly type: string }
type Types = Readonly<Record<string, readonly Field[]>>
type Case = {
  readonly name: string
  readonly domain: Record<string, string>
  readonly primaryType: string
  readonly types: Types
  readonly data: Record<string, unknown>
  readonly digest: string
}

const file = new URL('../vectors/eip712/eip712-ethers.json', import.meta.url)
const cases: readonly Case[] = JSON.parse(readFileSync(file, 'utf8'))

for (const { name, domain, primaryType, types, data, digest } of cases) {
  test(`typed data ${name} has the digest that ethers gives`, () => {
    const struct = structType(encodeType(types, primaryType))
    const hash = struct.hash(value(primaryType, data, types) as Record<string, Member>)
    const { salt, chainId, ...rest } = domain
    const separator = domainSeparator({
      ...rest,
      ...(salt === undefined ? {} : { salt: unhex(salt) }),
      ...(chainId === undefined ? {} : { chainId: BigInt(chainId) }),
    })
    assert.equal(hex(hashTypedData(separator, hash)), digest)
  })
}

const wayside = { name: 'Wayside', version: '1' }
const x402 = {
  name: 'x402 Batch Settlement',
  version: '1',
  chainId: rail.chainId,
  verifyingContract: rail.settlement,
}

test('both domains are those that ethers hashes', () => {
  assert.equal(hex(domainSeparator(wayside)), TypedDataEncoder.hashDomain(wayside))
  assert.equal(hex(settlementDomain(rail)), TypedDataEncoder.hashDomain(x402))
})

test('a channel id is the typed data hash that x402 clients compute', () => {
  const types = parseTypes('ChannelConfig')
  const salt = hex(config.salt)
  assert.equal(
    hex(channelId(config, rail)),
    TypedDataEncoder.hash(x402, types, { ...config, salt }),
  )
})

for (const name of Object.keys(typeStrings) as TypeName[]) {
  test(`any ${name} hashes as in ethers`, () => {
    const types = parseTypes(name)
    const made = arbitrary(name, types)
    assert.equal(TypedDataEncoder.from(types).encodeType(name), typeStrings[name])
    fc.assert(
      fc.property(made, (value) => {
        const shown = show(value) as Record<string, unknown>
        assert.equal(hex(digestOf(name, value)), TypedDataEncoder.hash(wayside, types, shown))
      }),
      { numRuns: 20 },
    )
  })
}

test('a member that does not fit its type is a bug, not a hash', () => {
  const voucher = { channelId: new Uint8Array(32), maxClaimableAmount: 1n }
  for (const wrong of [
    { ...voucher, channelId: new Uint8Array(31) },
    { ...voucher, maxClaimableAmount: -1n },
    { ...voucher, maxClaimableAmount: 1n << 128n },
    { channelId: voucher.channelId },
  ]) {
    assert.throws(() => structHash('Voucher', wrong), RangeError)
  }
})

/** Our notation for a table of types: the primary first, then what it uses, then the rest. */
function encodeType(types: Types, primary: string): string {
  const names = [primary, ...Object.keys(types).filter((name) => name !== primary)]
  const spell = (name: string) => (types[name] ?? []).map((f) => `${f.type} ${f.name}`).join(',')
  return names.map((name) => `${name}(${spell(name)})`).join('')
}

function parseTypes(name: TypeName): Record<string, Field[]> {
  const found = [...typeStrings[name].matchAll(/(\w+)\(([^)]*)\)/g)]
  return Object.fromEntries(
    found.map(([, struct = '', members = '']) => [
      struct,
      members.split(',').map((member) => {
        const [type = '', field = ''] = member.split(' ')
        return { name: field, type }
      }),
    ]),
  )
}

/** The vectors' JSON values in our types. */
function value(type: string, data: unknown, types: Types): Member {
  const array = /^(.*)\[\d*\]$/.exec(type)
  if (array !== null) return (data as unknown[]).map((item) => value(array[1] ?? '', item, types))
  const fields = types[type]
  if (fields !== undefined) {
    const record = data as Record<string, unknown>
    return Object.fromEntries(fields.map((f) => [f.name, value(f.type, record[f.name], types)]))
  }
  if (type.startsWith('bytes')) return unhex(data as string)
  if (/^u?int/.test(type)) return BigInt(data as string)
  return data as Member
}

function arbitrary(type: string, types: Types): fc.Arbitrary<Record<string, Member>> {
  const fields = types[type] as readonly Field[]
  return fc.record(Object.fromEntries(fields.map((f) => [f.name, member(f.type, types)])))
}

function member(type: string, types: Types): fc.Arbitrary<Member> {
  if (type.endsWith('[]')) return fc.array(member(type.slice(0, -2), types), { maxLength: 4 })
  if (types[type] !== undefined) return arbitrary(type, types)
  if (type === 'bytes32') return fc.uint8Array({ minLength: 32, maxLength: 32 })
  if (type === 'address') return fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hex)
  return fc.bigInt({ min: 0n, max: (1n << BigInt(type.slice(4))) - 1n })
}

/** Our values as ethers takes them. */
function show(value: Member): unknown {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(show)
  if (typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, show(part)]))
}
