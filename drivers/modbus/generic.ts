/** The profile of a slave that nobody has a table of: one row of registers, named by their addresses. */
import {
  defineProfile,
  type OptionValues,
  type Profile,
  placesOf,
} from '../../runtime/sense/driver.ts'
import type { ReadFunction, Request } from './request.ts'

export const genericTypes = ['u16', 'i16', 'u32', 'i32', 'f32', 'u64', 'i64', 'f64'] as const

/** Fields `r<address>`, or `b<address>` for bits, as `function`, `address`, `count` and `type` say. */
export function generic(options: OptionValues): Profile {
  const code = Number(options.function) as ReadFunction
  const bits = code <= 2
  const type = bits ? 'bit' : (options.type as (typeof genericTypes)[number])
  const step = placesOf({ type })
  const address = Math.min(Number(options.address), 65_536 - step)
  // A row that ends within a number, or past the last address, ends before it.
  const most = Math.min(Number(options.count), 65_536 - address)
  const count = Math.max(step, most - (most % step))
  const fields = Array.from({ length: count / step }, (_, i) => {
    const at = address + i * step
    const title = bits ? `bit ${at}` : `register ${at}`
    return [`${bits ? 'b' : 'r'}${at}`, { title, address: at, type }]
  })
  return defineProfile({
    title: 'Modbus registers',
    blocks: [{ function: code, address, count, fields: Object.fromEntries(fields) }],
  })
}

/** The same for a request that somebody put. */
export function genericFor(request: Request, options: OptionValues): Profile {
  if (!('count' in request)) return generic(options)
  const { function: code, address, count } = request
  return generic({ ...options, function: String(code === 23 ? 3 : code), address, count })
}
