/**
 * Bytes across the worker's boundary: every byte array in a message moves into one buffer that is handed
 * over, not copied. Thousands of small arrays would each cost an allocation on both sides.
 */
export type Parcel = { readonly value: unknown; readonly buffer: ArrayBuffer }

/** The same value with its byte arrays as views of one fresh buffer, which may be transferred. */
export function parcel(value: unknown): Parcel {
  const found: Uint8Array[] = []
  const sized = measure(value, found)
  const buffer = new ArrayBuffer(sized)
  const whole = new Uint8Array(buffer)
  let at = 0
  const place = (bytes: Uint8Array): Uint8Array => {
    whole.set(bytes, at)
    at += bytes.length
    return whole.subarray(at - bytes.length, at)
  }
  return { value: found.length === 0 ? value : rebuilt(value, place), buffer }
}

function measure(value: unknown, found: Uint8Array[]): number {
  if (value instanceof Uint8Array) {
    found.push(value)
    return value.length
  }
  if (typeof value !== 'object' || value === null) return 0
  let size = 0
  for (const part of Array.isArray(value) ? value : Object.values(value)) {
    size += measure(part, found)
  }
  return size
}

function rebuilt(value: unknown, place: (bytes: Uint8Array) => Uint8Array): unknown {
  if (value instanceof Uint8Array) return place(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((part) => rebuilt(part, place))
  const copy: Record<string, unknown> = {}
  for (const [name, part] of Object.entries(value)) copy[name] = rebuilt(part, place)
  return copy
}
