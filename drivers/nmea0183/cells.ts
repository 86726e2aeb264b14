/**
 * The fields of one sentence, read where they stand in its bytes: most are numbers, and no string is made
 * of those. Positions count from the first field behind the address; blanks around a field are not of it.
 */

export type Fields = {
  readonly bytes: Uint8Array
  /** Where each field begins and ends; both 0 behind the last. */
  readonly from: Uint16Array
  readonly to: Uint16Array
  /** The number that each says which is one to five digits; below 0 for all others. */
  readonly short: Int32Array
  readonly length: number
}

/** More than a sentence can have: it has no more bytes. */
const fieldsMax = 1024

/** The fields of the sentence that is read now: lists made for each would cost as much as reading it. */
const now = {
  bytes: new Uint8Array(0) as Uint8Array,
  from: new Uint16Array(fieldsMax + 1),
  to: new Uint16Array(fieldsMax + 1),
  short: new Int32Array(fieldsMax + 1).fill(-1),
  length: 0,
}

/**
 * The fields of `bytes[start, end)`, where the first comma ends the address, which is not one of them; to be
 * read before the next sentence is.
 *
 * Nothing branches on a byte here: no processor foresees where the next comma stands, and each time it is
 * wrong costs as much as ten bytes. Every byte may be the last of its field until the next is not a comma.
 */
export function fieldsOf(bytes: Uint8Array, start: number, end: number): Fields {
  const { from, to, short } = now
  const begin = commaIn(bytes, start, end) + 1
  let many = 0
  let number = 0
  let lowest = 0
  for (let at = begin; at < end; at += 1) {
    const byte = bytes[at] as number
    to[many] = at
    short[many] = number
    // One more at a comma: nothing else becomes −1 here.
    many += ((byte ^ comma) - 1) >>> 31
    number = (Math.imul(number, factors[byte] as number) + (digitsOf[byte] as number)) | 0
    lowest |= byte - (space + 1)
  }
  if (begin <= end) {
    to[many] = end
    short[many] = number
    many += 1
  }
  let next = begin
  for (let at = 0; at < many; at += 1) {
    const last = to[at] as number
    const size = last - next
    from[at] = next
    // Below 0 with the sign of either difference.
    short[at] = (short[at] as number) | ((size - 1) >> 31) | ((shortMax - size) >> 31)
    next = last + 1
  }
  for (let at = many; at < now.length; at += 1) {
    from[at] = 0
    to[at] = 0
    short[at] = -1
  }
  now.bytes = bytes
  now.length = many
  if (lowest < 0) trim(many)
  return now
}

/** Where the first comma from `start` on stands; `end` when there is none. */
export function commaIn(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== comma) at += 1
  return at
}

export function isEmpty(fields: Fields, at: number): boolean {
  return sizeOf(fields, at) === 0
}

/** How many characters the field has. */
export function sizeOf({ from, to }: Fields, at: number): number {
  return (to[at] ?? 0) - (from[at] ?? 0)
}

/** The field as text; empty when the sentence ends before it. */
export function field({ bytes, from, to }: Fields, at: number): string {
  return ascii(bytes, from[at] ?? 0, to[at] ?? 0)
}

export function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let at = from; at < to; at += 1) text += String.fromCharCode(bytes[at] ?? 0)
  return text
}

/** A number of digits alone; NaN for anything else. */
export function wholeAt({ bytes, from, to, short }: Fields, at: number): number {
  const number = short[at] as number
  return number >= 0 ? number : digits(bytes, from[at] ?? 0, to[at] ?? 0)
}

/** `-12.5`, `+3`, `.5` or `12.`; NaN for anything else. */
export function numeral({ bytes, from, to, short }: Fields, at: number): number {
  const number = short[at] as number
  if (number >= 0) return number
  const first = from[at] ?? 0
  const end = to[at] ?? 0
  if (bytes[first] === minus) return -decimal(bytes, first + 1, end)
  return decimal(bytes, bytes[first] === plus ? first + 1 : first, end)
}

/** Digits with a point before, among or behind them; NaN for anything else. */
export function decimal(bytes: Uint8Array, from: number, to: number): number {
  let number = 0
  let point = -1
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit >= 0 && digit <= 9) number = 10 * number + digit
    else if (digit === dot - 0x30 && point < 0) point = at
    else return Number.NaN
  }
  const digits = to - from - (point < 0 ? 0 : 1)
  if (digits < 1) return Number.NaN
  // Two whole numbers that are exact, so that their quotient is the double nearest to what was written.
  if (digits <= exactDigits) return point < 0 ? number : number / (tens[to - point - 1] ?? 1)
  return Number(ascii(bytes, from, to))
}

/** The one character of this field; 0 when it is empty, −1 when it has more. */
export function letterIn({ bytes, from, to }: Fields, at: number): number {
  const first = from[at] ?? 0
  const size = (to[at] ?? 0) - first
  return size === 1 ? (bytes[first] ?? 0) : size === 0 ? 0 : -1
}

/** The value of a hex digit in either case, -1 for anything else. */
export function hexValue(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const small = byte | 0x20
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1
}

/** Digits alone; NaN for anything else. */
export function digits(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to) return Number.NaN
  let number = 0
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte < 0x30 || byte > 0x39) return Number.NaN
    number = 10 * number + byte - 0x30
  }
  return number
}

/**
 * Takes the noise out of the last binary digits: nine decimals are finer than any talker's. What
 * `toFixed(9)` says; that takes long, and is asked only where rounding here could differ from it. From a
 * million on, so many decimals would show the noise: a number has fifteen digits that can be trusted.
 */
export function tidy(number: number): number {
  if (number === 0) return 0
  const billionths = number * 1e9
  const nearest = Math.round(billionths)
  const plain = Math.abs(billionths) < 2 ** 44 && Math.abs(billionths - nearest) < 0.499
  if (plain) return nearest / 1e9
  return Number(Math.abs(number) < 1e6 ? number.toFixed(9) : number.toPrecision(exactDigits))
}

const comma = 0x2c
const dot = 0x2e
const plus = 0x2b
const minus = 0x2d
const space = 0x20

/** The digits of a short number, and the greatest. */
const shortMax = 5
export const shortMost = 99_999

/**
 * What a byte makes of the number before it, times one and plus the other. A comma begins a new one. What is
 * no digit makes it so low that it stays below 0 through four more.
 */
const factors = new Int32Array(256)
const digitsOf = new Int32Array(256).fill(-(2 ** 27))
for (let digit = 0; digit <= 9; digit += 1) {
  factors[0x30 + digit] = 10
  digitsOf[0x30 + digit] = digit
}
digitsOf[comma] = 0

/** So many digits fit into a double as a whole number, and so do as many powers of ten. */
const exactDigits = 15
const tens = Array.from({ length: exactDigits + 1 }, (_, power) => 10 ** power)

/** Takes the blanks around fields from them. */
function trim(many: number): void {
  const { bytes, from, to, short } = now
  for (let at = 0; at < many; at += 1) {
    let first = from[at] as number
    let end = to[at] as number
    while (first < end && isBlank(bytes[first])) first += 1
    while (first < end && isBlank(bytes[end - 1])) end -= 1
    if (first === from[at] && end === to[at]) continue
    from[at] = first
    to[at] = end
    short[at] = -1
  }
}

function isBlank(byte = 0): boolean {
  return byte === 0x20 || byte === 0x09
}
