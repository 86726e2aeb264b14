import type { Purchase, Purse, Short } from './purse.ts'
import type { Wish } from './want.ts'

/** Makes the purchases of one moment one period of the channel; `done` is told after each. */
export function gathered(purse: Purse | undefined, waitMs: number, done: () => void) {
  type Asked = {
    readonly wish: Wish
    readonly done: (purchase: Purchase | Short) => void
    readonly fail: (cause: unknown) => void
  }
  let asked: Asked[] = []
  const buyAll = async () => {
    const all = asked
    asked = []
    try {
      const bought = (await purse?.buy(all.map(({ wish }) => wish))) ?? []
      for (const [i, one] of all.entries()) one.done(bought[i] ?? 'no grant')
      done()
    } catch (cause) {
      for (const one of all) one.fail(cause)
    }
  }
  return (wish: Wish) =>
    new Promise<Purchase | Short>((done, fail) => {
      asked.push({ wish, done, fail })
      if (asked.length === 1) setTimeout(buyAll, waitMs)
    })
}
