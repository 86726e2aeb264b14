/**
 * A free stream in the clear: each reading as plain SenML JSON (RFC 8428 §5) that any tool can read. The
 * first record also says which epoch the reading stands in and where, so that a proof can be asked for;
 * SenML tells readers to pass over labels they do not know (§4.4).
 */
import type { Address } from '../wire/address.ts'
import { utf8 } from '../wire/bytes.ts'
import { type Reading, unitOf, type Value } from '../wire/reading.ts'
import { topics } from '../wire/topic.ts'

export type Spot = {
  readonly generation: number
  readonly number: number
  readonly index: number
}

/** Makes the message that a reading of a free stream is published as. */
export function openMessages(device: Address) {
  const { open } = topics(device)
  return (reading: Reading, spot: Spot): { topic: string; payload: Uint8Array } => ({
    topic: open(reading.stream),
    payload: utf8(senml(reading, device, spot)),
  })
}

/** The pack's text. A counter past 2^53 is written with all its digits. */
export function senml(reading: Reading, device: Address, spot: Spot): string {
  const { stream, subject, boot, monotonicMs, wallMs, values } = reading
  const base = `${device}/${stream}/${subject === undefined ? '' : `${subject}/`}`
  const time =
    wallMs === undefined
      ? `"boot_":["${boot}",${monotonicMs}]`
      : `"bt":${wallMs / 1000},"mono":${monotonicMs}`
  const place = `"generation":${spot.generation},"epoch":${spot.number},"index":${spot.index}`
  const records = Object.entries(values).map(([name, value], i) => {
    const first = i === 0 ? `"bn":"${base}",${time},${place},` : ''
    const unit = unitOf(reading, name)
    const measured = unit === undefined ? '' : `"u":${JSON.stringify(unit)},`
    return `{${first}"n":"${name}",${measured}${valueText(value)}}`
  })
  return `[${records.join(',')}]`
}

function valueText(value: Value): string {
  if (typeof value === 'string') return `"vs":${JSON.stringify(value)}`
  if (typeof value === 'boolean') return `"vb":${value}`
  if (value instanceof Uint8Array) return `"vd":"${Buffer.from(value).toString('base64url')}"`
  return `"v":${value}`
}
