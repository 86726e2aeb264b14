/** Decoders of outside bytes, as values. */
import { Malformed } from '../wire/malformed.ts'

/** Runs a decoder: its value, or the Malformed that it threw. */
export function attempt<T>(decode: () => T): T | Malformed {
  try {
    return decode()
  } catch (cause) {
    return malformed(cause)
  }
}

/** The Malformed that was thrown; anything else is a bug and goes on. */
export function malformed(cause: unknown): Malformed {
  if (cause instanceof Malformed) return cause
  throw cause
}
