/**
 * `npm run bench`: every figure of the README, as ratios against a baseline in the same run.
 *
 * Each file here exports `bench()`; a name on the command line runs only the files that contain it, and
 * `--json` prints an array for programs. Machines are shared and noisy: never read a figure without its
 * baseline, and never turn one into a timed test.
 */
import { parseArgs } from 'node:util'
import type { Figure } from './figure.ts'

const benches: Readonly<Record<string, () => Promise<{ bench(): Promise<Figure[]> }>>> = {
  throughput: () => import('./throughput.ts'),
  stall: () => import('./stall.ts'),
  infer: () => import('./infer.ts'),
  voucher: () => import('./voucher.ts'),
  counter: () => import('./counter.ts'),
  sale: () => import('./sale.ts'),
  footprint: () => import('./footprint.ts'),
  parsers: () => import('./parsers.ts'),
  registers: () => import('./registers.ts'),
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
})

const figures: Figure[] = []
for (const [name, load] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.some((wanted) => name.includes(wanted))) continue
  console.error(`measuring ${name} …`)
  figures.push(...(await (await load()).bench()))
}

if (values.json) console.log(JSON.stringify(figures, null, 2))
else {
  for (const { name, value, unit, goal } of figures) {
    console.log(
      `${name.padEnd(72)} ${value.toPrecision(4).padStart(10)} ${unit.padEnd(12)} ${goal}`,
    )
  }
}
