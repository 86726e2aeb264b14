/**
 * Every fault the product can raise: a stable code, the sentence with the fact and the bound, and the cure.
 *
 * A fault is an operational error that a person must act on. Doubts (bad data) and refusals (a peer's
 * bad request) are values, not faults. Codes are never reused; docs/faults.md lists the same rows and a
 * test holds the two together, both ways. `{name}` in a sentence is filled from the facts.
 */
export const faults = {
  CONFIG_UNREADABLE: {
    exit: 2,
    says: 'cannot read {path}: {why}',
    cure: 'check the path, or write a first one with `wayside init`',
  },
  CONFIG_INVALID: {
    exit: 2,
    says: '{path}:{line}:{column}: {what}',
    cure: '{hint}',
  },
} as const satisfies Readonly<Record<string, FaultRow>>

export type FaultRow = {
  /** Exit code of a command that ends with it: 1 finding, 2 usage or config, 3 other side unreachable. */
  readonly exit: 1 | 2 | 3
  readonly says: string
  readonly cure: string
}

export type FaultCode = keyof typeof faults

/** The only class of the house: what is thrown when a person must act. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly exit: 1 | 2 | 3
  readonly cure: string
  constructor(code: FaultCode, facts: Facts, cause?: unknown) {
    const row: FaultRow = faults[code]
    super(fill(row.says, facts), cause === undefined ? undefined : { cause })
    this.name = 'Fault'
    this.code = code
    this.exit = row.exit
    this.cure = fill(row.cure, facts)
  }
}

export type Facts = Readonly<Record<string, string | number | bigint>>

/** Makes the fault of that code; never put a secret among the facts. */
export function fault(code: FaultCode, facts: Facts = {}, cause?: unknown): Fault {
  return new Fault(code, facts, cause)
}

function fill(sentence: string, facts: Facts): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(facts[name] ?? whole))
}
