import { pause } from '../time/pause.ts'
import type { Purchase, Purse, Short } from './purse.ts'
import type { Wish } from './want.ts'

/**
 * Makes the purchases of one moment one period of the channel; `done` is told after each. Once the signal
 * has come nothing is promised any more.
 */
export function gathered(
  purse: Purse | undefined,
  waitMs: number,
  signal: AbortSignal,
  done: () => void,
) {
  type Asked = {
    readonly wish: Wish
    readonly done: (purchase: Purchase | Short) => void
    readonly fail: (cause: unknown) => void
  }
  let asked: Asked[] = []
  const buyAll = async () => {
    // Also at 0 ms: what is asked in one turn is bought together.
    await pause(waitMs, signal)
    const all = asked
    asked = []
    try {
      const wishes = all.map(({ wish }) => wish)
      const bought = signal.aborted ? [] : ((await purse?.buy(wishes)) ?? [])
      for (const [i, one] of all.entries()) one.done(bought[i] ?? 'no grant')
      done()
    } catch (cause) {
      for (const one of all) one.fail(cause)
    }
  }
  return (wish: Wish) =>
    new Promise<Purchase | Short>((done, fail) => {
      asked.push({ wish, done, fail })
      if (asked.length === 1) void buyAll()
    })
}
