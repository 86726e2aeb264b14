/** What must be ended when the demo ends, however it ends: in the reverse order of its beginning. */
export type Ends = {
  add(end: () => unknown): void
  /** Runs every end once; one that fails does not keep the others from theirs. */
  run(): Promise<void>
}

export function openEnds(): Ends {
  const ends: (() => unknown)[] = []
  return {
    add: (end) => ends.push(end),
    async run() {
      for (;;) {
        const end = ends.pop()
        if (end === undefined) return
        try {
          await end()
        } catch (error) {
          console.error(`demo: ${(error as Error).message}`)
        }
      }
    },
  }
}
