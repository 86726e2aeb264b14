/** A flag that becomes a line of a config: held to what the config takes there, before anything is written. */
import { InvalidArgumentError } from 'commander'
import type { z } from 'zod'

/** Takes what this schema takes, as it was written. */
export function takenBy(schema: z.ZodType): (text: string) => string {
  return (text) => {
    const { error } = schema.safeParse(text)
    if (error === undefined) return text
    throw new InvalidArgumentError(`${error.issues[0]?.message ?? 'it is not taken there'}.`)
  }
}

/** The same for a flag that takes several. */
export function eachTakenBy(schema: z.ZodType) {
  const take = takenBy(schema)
  return (text: string, before: readonly string[] = []) => [...before, take(text)]
}
