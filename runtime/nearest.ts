/** The names that somebody may have meant, so that a slip of the finger is quickly seen. */

/** The `count` names most like this one, likeliest first. */
export function nearest(names: readonly string[], wanted: string, count: number): string[] {
  return ranked(names, wanted)
    .slice(0, count)
    .map(({ name }) => name)
}

/** The one name that is so like this one that it was probably meant. */
export function meant(names: readonly string[], wanted: string): string | undefined {
  const [best] = ranked(names, wanted)
  const stepsMax = Math.max(1, Math.floor(wanted.length / 3))
  return best !== undefined && best.steps <= stepsMax ? best.name : undefined
}

function ranked(names: readonly string[], wanted: string) {
  const short = wanted.slice(0, charactersMax)
  return names
    .map((name) => ({ name, steps: distance(name, short) }))
    .sort((a, b) => a.steps - b.steps)
}

/** Longer than any name of ours; past it a letter more tells nothing. */
const charactersMax = 64

/** Letters to change, add, drop, or swap with their neighbour: each is one slip. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1)
      }
      next.push(least)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
