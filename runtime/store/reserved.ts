/** Numbers that are about to be evicted; in memory only, since a crash forgets the plan too. */
type Numbers = { readonly stream: string; readonly from: number; readonly to: number }

export type Reserved = ReturnType<typeof reservations>

export function reservations() {
  let reserved: readonly Numbers[] = []
  return {
    set(next: readonly Numbers[]): void {
      reserved = next
    },
    release({ stream, from, to }: Numbers): void {
      reserved = reserved.filter(
        (one) => one.stream !== stream || one.from !== from || one.to !== to,
      )
    },
    has: (stream: string, number: number) =>
      reserved.some((one) => one.stream === stream && one.from <= number && number <= one.to),
    /** What of the range is not reserved: the very range when that is all of it. */
    outside<T extends Numbers>(range: T): T[] {
      return reserved.reduce<T[]>(
        (parts, cut) =>
          parts.flatMap((part) => {
            if (part.stream !== cut.stream || part.to < cut.from || cut.to < part.from)
              return [part]
            const before = { ...part, to: cut.from - 1 }
            const after = { ...part, from: cut.to + 1 }
            return [before, after].filter(({ from, to }) => from <= to)
          }),
        [range],
      )
    },
  }
}
