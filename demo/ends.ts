/** What must be ended when the demo ends, however it ends: in the reverse order of its beginning. */
export type Ends = {
  /**
   * `atOnce` is for the moment when nothing can be waited for any more. What begins after the end is ended
   * right away, and the promise rejects, so that whoever was about to go on does not.
   */
  add(inOrder: () => unknown, atOnce?: () => void): Promise<void>
  /** Runs every end once; one that fails does not keep the others from theirs. */
  run(): Promise<void>
  /** The same while the process exits. */
  runAtOnce(): void
}

type End = { readonly inOrder: () => unknown; readonly atOnce: () => void }

export function openEnds(): Ends {
  const ends: End[] = []
  let over = false

  async function finish({ inOrder }: End): Promise<void> {
    try {
      await inOrder()
    } catch (error) {
      console.error(`demo: ${(error as Error).message}`)
    }
  }

  return {
    async add(inOrder, atOnce = () => {}) {
      const end = { inOrder, atOnce }
      if (!over) {
        ends.push(end)
        return
      }
      await finish(end)
      throw new Error('the demo is over')
    },
    async run() {
      over = true
      for (let end = ends.at(-1); end !== undefined; end = ends.at(-1)) {
        await finish(end)
        // Only now, so that an exit in the meantime still finds it.
        ends.splice(ends.indexOf(end), 1)
      }
    },
    runAtOnce() {
      over = true
      for (const { atOnce } of ends.splice(0).reverse()) atOnce()
    },
  }
}
