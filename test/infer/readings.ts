/** Readings to feed windows with. */
import type { Reading, Value } from '../../runtime/wire/reading.ts'

export const boot = '00112233445566778899aabbccddeeff'

export function at(monotonicMs: number, value: Value, more: Partial<Reading> = {}): Reading {
  return { stream: 'air', boot, monotonicMs, values: { pm2_5: value }, units: {}, ...more }
}
