/**
 * The one way a decoder says no: bytes or text from outside that are not what the wire allows.
 *
 * Every decoder under wire/ either returns a value or throws this; anything else it throws is a bug. The
 * sentence names the part and the rule, and never repeats the bytes (they may be someone's secret).
 */
export class Malformed extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.name = 'Malformed'
  }
}

/** Throws the refusal unless the rule holds. */
export function must(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Malformed(sentence)
}
