/**
 * What keeps a driver of another package from taking the device down with it.
 *
 * Ours are held by tests; theirs may throw at a frame that nobody thought of, or say NaN, and a pack with
 * that in it no buyer would read. Both become doubts, counted like others, with what was wrong as detail.
 */
import { isFieldName, isSubject } from '../wire/reading.ts'
import { isUnit } from '../wire/units.ts'
import { type Driver, doubt, type Said, type Saying, unitsOf } from './driver.ts'

/** The same driver, of which nothing throws and nothing is said that a reading cannot hold. */
export function guarded(driver: Driver): Driver {
  const { shape, moments, ask, under } = driver
  const { sizeAt } = shape
  return {
    ...driver,
    shape: {
      ...shape,
      size: (...given) => safely(() => shape.size(...given), 0),
      ...(sizeAt && { sizeAt: (...given) => safely(() => sizeAt.call(shape, ...given), 0) }),
      flaw: (frame) => safely(() => shape.flaw(frame), threw),
    },
    decode(frame, memory) {
      try {
        const step = driver.decode(frame, memory)
        const { said } = step
        return said === undefined ? step : { ...step, said: heldTo(driver, said) }
      } catch (error) {
        return { memory, said: doubt(threw, String(error)) }
      }
    },
    ...(moments && {
      moments: {
        ...moments,
        begins: (held, next) => safely(() => moments.begins(held, next), true),
      },
    }),
    ...(ask && {
      ask(memory, nowMs) {
        const again = { memory, wakeMs: askAgainMs, doubt: threw }
        return safely(() => ask.call(driver, memory, nowMs), again)
      },
    }),
    ...(under && { under: (options) => guarded(under.call(driver, options)) }),
  }
}

/** What keeps this from being in a reading; undefined when nothing does. */
export function wrongSaying(driver: Driver, said: Saying): string | undefined {
  const { subject, time, values } = said
  if (subject !== undefined && !isSubject(subject)) return `the subject ${subject}`
  if (time !== undefined && !isInstant(time)) return `the time ${time}`
  const name = Object.keys(values).find((one) => !isFieldName(one))
  if (name !== undefined) return `the field name ${name}`
  const [field] = Object.entries(values).find(([, value]) => !isHoldable(value)) ?? []
  if (field !== undefined) return `the value of ${field}`
  const unit = Object.values(unitsOf(driver, said)).find((one) => !isUnit(one))
  return unit === undefined ? undefined : `the unit ${unit}`
}

function heldTo(driver: Driver, said: Said): Said {
  if (said.ok === true) {
    const wrong = wrongSaying(driver, said)
    return wrong === undefined ? said : doubt(unholdable, wrong)
  }
  return typeof said.doubt === 'string' ? said : doubt(unholdable, 'neither values nor a doubt')
}

const unholdable = 'the driver said what no reading holds'

function isInstant(time: unknown): boolean {
  return typeof time === 'string' && !Number.isNaN(Date.parse(time))
}

/** A finite number, a counter of 64 bits, a truth, a text or bytes. */
function isHoldable(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'bigint') return value >= -(2n ** 63n) && value < 2n ** 64n
  return ['boolean', 'string'].includes(typeof value) || value instanceof Uint8Array
}

function safely<T>(work: () => T, otherwise: T): T {
  try {
    return work()
  } catch {
    return otherwise
  }
}

const threw = 'the driver threw'

/** A driver that cannot say when to be called again is called so seldom that it costs nothing. */
const askAgainMs = 60_000
