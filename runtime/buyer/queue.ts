/** What waits for the consumer: filled by feeds, emptied one by one; ends when nothing more can come. */
export type Queue<T> = {
  push(value: T): void
  /** No more will come; with a cause, the consumer is thrown it once it has taken the rest. */
  end(cause?: unknown): void
  size(): number
  /** The next value, or undefined at the end. */
  next(): Promise<T | undefined>
}

export function openQueue<T>(): Queue<T> {
  let values: T[] = []
  let at = 0
  let ended: { readonly cause?: unknown } | undefined
  let wake = () => {}

  return {
    push(value) {
      values.push(value)
      wake()
    },
    end(cause) {
      ended ??= cause === undefined ? {} : { cause }
      wake()
    },
    size: () => values.length - at,
    async next() {
      while (at === values.length && ended === undefined) {
        await new Promise<void>((done) => {
          wake = done
        })
      }
      if (at < values.length) {
        const value = values[at] as T
        at += 1
        // Taken ones are let go in lots, so that taking one costs the same however many wait.
        if (at >= 1024) {
          values = values.slice(at)
          at = 0
        }
        return value
      }
      if (ended !== undefined && 'cause' in ended) throw ended.cause
      return undefined
    },
  }
}
