/**
 * Changes that are made while another is on its way to the disk go together, as one commit: forty buyers of
 * an epoch wait for one fsync or two.
 */
import type { Change, SalesStore } from './rows.ts'

/** The store's `saleCommit` for one change; resolves when that is durable, to whether it was done. */
export function together({ saleCommit }: Pick<SalesStore, 'saleCommit'>) {
  let waiting: Change[] = []
  let next: Promise<readonly boolean[]> | undefined
  let before: Promise<unknown> = Promise.resolve()

  return async (change: Change): Promise<boolean> => {
    const place = waiting.push(change) - 1
    next ??= afterIt(before)
    return (await next)[place] === true
  }

  async function afterIt(last: Promise<unknown>): Promise<readonly boolean[]> {
    await last
    const changes = waiting
    waiting = []
    next = undefined
    const done = saleCommit(...changes)
    before = done.catch(() => {})
    return done
  }
}
