/** Random numbers that can be had again: print the seed, and take one. */
export type Chance = { readonly seed: number; below(limit: number): number }

/** `text` is a seed as it was printed; without one, another each time. */
export function chance(text: string | undefined): Chance {
  const seed = text === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(text) >>> 0
  let state = seed
  // xorshift32 after a mix, so that neighbouring seeds differ.
  state = Math.imul(state ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1
  return {
    seed,
    below(limit) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return ((state >>> 0) / 2 ** 32) * limit
    },
  }
}
