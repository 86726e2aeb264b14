/**
 * EIP-712: what a key signs when the thing signed is money.
 *
 * A struct is named by what the standard calls its encodeType, the very text that is hashed:
 * `Voucher(bytes32 channelId,uint128 maxClaimableAmount)`, structs that it uses behind it. Numbers
 * are bigint or whole number, bytes are Uint8Array, addresses hex text, arrays arrays, structs
 * objects.
 */
import { keccak256 } from '#crypto'
import { type Address, addressBytes, parseAddress } from './address.ts'
import { concat, utf8, word } from './bytes.ts'

export type Member =
  | bigint
  | number
  | boolean
  | string
  | Uint8Array
  | readonly Member[]
  | { readonly [name: string]: Member }

export type StructType = {
  /** Its encodeType. */
  readonly text: string
  readonly typeHash: Uint8Array
  /** hashStruct; throws a RangeError when a member is missing or does not fit its type. */
  hash(value: Readonly<Record<string, Member>>): Uint8Array
}

export type Domain = {
  readonly name?: string
  readonly version?: string
  readonly chainId?: bigint | number
  readonly verifyingContract?: Address
  readonly salt?: Uint8Array
}

/** Prepares the first struct of an encodeType; the type hash is computed here, once. */
export function structType(encodeType: string): StructType {
  const table = parse(encodeType)
  const [primary] = table.keys()
  if (primary === undefined) throw new RangeError('no struct in the type')
  return prepare(primary, table)
}

/** The digest that is signed: keccak256(0x1901 ‖ domain separator ‖ struct hash). */
export function hashTypedData(separator: Uint8Array, structHash: Uint8Array): Uint8Array {
  return keccak256(concat(prefix, separator, structHash))
}

/** The separator of a domain, of the members that it has and no others. */
export function domainSeparator(domain: Domain): Uint8Array {
  const members = domainMembers.filter(([, name]) => domain[name] !== undefined)
  const list = members.map(([type, name]) => `${type} ${name}`).join(',')
  return structType(`EIP712Domain(${list})`).hash(domain as Record<string, Member>)
}

const prefix = Uint8Array.of(0x19, 0x01)

const domainMembers = [
  ['string', 'name'],
  ['string', 'version'],
  ['uint256', 'chainId'],
  ['address', 'verifyingContract'],
  ['bytes32', 'salt'],
] as const

type Table = ReadonlyMap<string, readonly { readonly type: string; readonly name: string }[]>

function parse(encodeType: string): Table {
  const structs = encodeType.matchAll(/([A-Za-z_$][\w$]*)\(([^()]*)\)/g)
  return new Map(
    [...structs].map(([, name = '', members = '']) => [
      name,
      members
        .split(',')
        .filter((member) => member !== '')
        .map((member) => ({
          type: member.slice(0, member.indexOf(' ')),
          name: member.slice(member.indexOf(' ') + 1),
        })),
    ]),
  )
}

function prepare(primary: string, table: Table): StructType {
  const used = dependencies(primary, table)
  used.delete(primary)
  const text = [primary, ...[...used].sort()].map((name) => spell(name, table)).join('')
  const typeHash = keccak256(utf8(text))
  const members = (table.get(primary) ?? []).map(({ type, name }) => ({
    name,
    encode: encoder(type, table),
  }))
  return {
    text,
    typeHash,
    hash(value) {
      const words = members.map(({ name, encode }) => {
        const member = value[name]
        if (member === undefined) throw new RangeError(`${primary} lacks ${name}`)
        return encode(member)
      })
      return keccak256(concat(typeHash, ...words))
    },
  }
}

function spell(name: string, table: Table): string {
  const members = (table.get(name) ?? []).map((member) => `${member.type} ${member.name}`)
  return `${name}(${members.join(',')})`
}

function dependencies(name: string, table: Table, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const { type } of table.get(name) ?? []) {
    const base = type.replace(/\[.*$/, '')
    if (table.has(base)) dependencies(base, table, found)
  }
  return found
}

type Encode = (value: Member) => Uint8Array

/** How a member becomes its 32 bytes (encodeData). */
function encoder(type: string, table: Table): Encode {
  const array = /^(.*)\[(\d*)\]$/.exec(type)
  if (array !== null) return arrayEncoder(array[1] ?? '', array[2] ?? '', table)
  if (table.has(type)) {
    // Looked up when first used, so that a struct may hold a list of its own kind.
    let struct: StructType | undefined
    return (value) => {
      struct ??= prepare(type, table)
      return struct.hash(value as Readonly<Record<string, Member>>)
    }
  }
  return atomEncoder(type)
}

function arrayEncoder(of: string, length: string, table: Table): Encode {
  const encode = encoder(of, table)
  return (value) => {
    const fits = Array.isArray(value) && (length === '' || value.length === Number(length))
    if (!fits) throw new RangeError(`not a ${of}[${length}]`)
    return keccak256(concat(...(value as readonly Member[]).map(encode)))
  }
}

function atomEncoder(type: string): Encode {
  if (type === 'string') return (value) => keccak256(utf8(value as string))
  if (type === 'bytes') return (value) => keccak256(value as Uint8Array)
  if (type === 'bool') return (value) => word(value === true ? 1n : 0n)
  if (type === 'address') return encodeAddress
  const sized = /^(bytes|uint|int)(\d+)$/.exec(type)
  const size = Number(sized?.[2] ?? 0)
  if (sized === null || size === 0) throw new RangeError(`${type} is no EIP-712 type`)
  if (sized[1] === 'bytes') return (value) => fixedBytes(value, size)
  return sized[1] === 'uint' ? unsigned(size) : signed(size)
}

function encodeAddress(value: Member): Uint8Array {
  const address = parseAddress(String(value))
  if (address === undefined) throw new RangeError('not an address')
  return concat(new Uint8Array(12), addressBytes(address))
}

function fixedBytes(value: Member, size: number): Uint8Array {
  const fits = value instanceof Uint8Array && value.length === size
  if (!fits) throw new RangeError(`not ${size} bytes`)
  return size === 32 ? value : concat(value, new Uint8Array(32 - size))
}

function unsigned(bits: number): Encode {
  const end = 1n << BigInt(bits)
  return (value) => {
    const number = BigInt(value as number | bigint)
    if (number < 0n || number >= end) throw new RangeError(`not a uint${bits}`)
    return word(number)
  }
}

function signed(bits: number): Encode {
  const half = 1n << BigInt(bits - 1)
  return (value) => {
    const number = BigInt(value as number | bigint)
    if (number < -half || number >= half) throw new RangeError(`not an int${bits}`)
    return word(BigInt.asUintN(256, number))
  }
}
