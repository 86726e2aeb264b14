/**
 * Several RPC endpoints of one chain, believed only where they agree.
 *
 * An endpoint that lies or lags alone can not make an operator grant money that is not there. A failed
 * read is tried again; a chain that cannot be asked is a fault, never an old answer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, fault } from '../faults.ts'
import { backOff } from '../time/backoff.ts'

export type Endpoint<Provider> = {
  /** Its origin: what stands behind it in the URL may be a secret. */
  readonly name: string
  readonly provider: Provider
}

export type Endpoints<Provider> = {
  readonly all: readonly Endpoint<Provider>[]
  /** Asks every endpoint; throws CHAIN_DISAGREES unless all say the same. `show` spells an answer. */
  agreed<T>(what: string, ask: (provider: Provider) => Promise<T>, show?: Show<T>): Promise<T>
  /** Asks every endpoint, and returns every answer in order. */
  each<T>(ask: (provider: Provider) => Promise<T>): Promise<readonly T[]>
}

type Show<T> = (answer: T) => string

/** Tries of one read, and the wait before the second (jittered, doubling). */
export const retries = { tries: 3, firstMs: 200, maxMs: 2_000 } as const

/** `translate` turns what a provider throws into a fault; only CHAIN_UNREACHABLE is tried again. */
export function endpoints<Provider>(
  all: readonly Endpoint<Provider>[],
  translate: (cause: unknown, rpc: string) => Fault,
): Endpoints<Provider> {
  if (all.length === 0) throw new RangeError('a chain needs an endpoint')
  const ask = async <T>(
    { name, provider }: Endpoint<Provider>,
    question: (provider: Provider) => Promise<T>,
  ): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await question(provider)
      } catch (cause) {
        const trouble = translate(cause, name)
        if (trouble.code !== 'CHAIN_UNREACHABLE' || tries >= retries.tries) throw trouble
        await sleep(backOff(tries - 1, retries.firstMs, retries.maxMs, Math.random))
      }
    }
  }
  const each = <T>(question: (provider: Provider) => Promise<T>) =>
    Promise.all(all.map((endpoint) => ask(endpoint, question)))

  return {
    all,
    each,
    agreed: async (what, question, show = String) => {
      const answers = await each(question)
      const said = answers.map(show)
      const other = said.findIndex((text) => text !== said[0])
      if (other > 0) {
        const says = (i: number) => `${all[i]?.name} says ${said[i]}`
        throw fault('CHAIN_DISAGREES', { what, first: says(0), second: says(other) })
      }
      return answers[0] as (typeof answers)[number]
    },
  }
}
