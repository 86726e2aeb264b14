/** One measured figure. `goal` says what is promised or aimed at, in words. */
export type Figure = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal: string
}
