/**
 * The binary coding of SML: a byte of type and length before everything, more of them while bit 7 is set.
 *
 *   0n   n − 1 bytes                 4n   truth         7n   list of n elements
 *   5n   signed, n − 1 bytes         6n   unsigned      00   end of a message, 01 nothing
 *
 * A number may take any 1 to 8 bytes: meters leave leading ones out. Lengths count the bytes of type and
 * length too, of lists they count elements. Source: "Smart Message Language" 1.04 §6.3.
 */
export type Node = Bytes | Truth | Whole | List | End
export type Bytes = { readonly kind: 'bytes'; readonly bytes: Uint8Array }
type Truth = { readonly kind: 'truth'; readonly value: boolean }
export type Whole = {
  readonly kind: 'whole'
  readonly value: bigint
  readonly signed: boolean
  readonly size: number
}
/** Where it stands, and where each element ends. */
export type List = {
  readonly kind: 'list'
  readonly items: readonly Node[]
  readonly from: number
  readonly ends: readonly number[]
}
type End = { readonly kind: 'end' }

/** The element that begins here and where it ends; undefined when there is none. */
export function readNode(
  bytes: Uint8Array,
  from: number,
  depth = 0,
): { readonly node: Node; readonly end: number } | undefined {
  const head = headOf(bytes, from)
  if (head === undefined) return undefined
  const { type, length, at } = head
  if (type === 7) return readList(bytes, from, { ...head, depth })
  if (type === 0 && length === 0 && at === from + 1) return { node: { kind: 'end' }, end: at }
  const end = from + length
  if (end < at || end > bytes.length) return undefined
  const content = bytes.subarray(at, end)
  const node = nodeOf(type, content)
  return node === undefined ? undefined : { node, end }
}

/** Deeper than any message: list, body, response, values, entry, time, local time. */
const depthMax = 10

type Head = { readonly type: number; readonly length: number; readonly at: number }

function headOf(bytes: Uint8Array, from: number): Head | undefined {
  let length = 0
  for (let at = from; at < from + 4 && at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    length = length * 16 + (byte & 15)
    if (byte < 0x80) return { type: ((bytes[from] ?? 0) >> 4) & 7, length, at: at + 1 }
  }
  return undefined
}

function readList(bytes: Uint8Array, from: number, head: Head & { readonly depth: number }) {
  const { length, at, depth } = head
  // Each element takes a byte at least.
  if (depth >= depthMax || length > bytes.length - at) return undefined
  const items: Node[] = []
  const ends: number[] = []
  let end = at
  while (items.length < length) {
    const found = readNode(bytes, end, depth + 1)
    if (found === undefined) return undefined
    items.push(found.node)
    ends.push(found.end)
    end = found.end
  }
  return { node: { kind: 'list', items, from, ends } as const, end }
}

function nodeOf(type: number, content: Uint8Array): Node | undefined {
  if (type === 0) return { kind: 'bytes', bytes: content }
  if (type === 4 && content.length === 1) return { kind: 'truth', value: content[0] !== 0 }
  // A truth of more than a byte is a number whose type has lost a bit: bridges write a time so.
  if (type < 4 || type > 6 || content.length < 1 || content.length > 8) return undefined
  let value = 0n
  for (const byte of content) value = value * 256n + BigInt(byte)
  const signed = type === 5
  if (signed) value = BigInt.asIntN(8 * content.length, value)
  return { kind: 'whole', value, signed, size: content.length }
}
