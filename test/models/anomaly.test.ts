/** The card of models/anomaly, measured again from the committed model through the device's own path. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { openModel } from '../../runtime/infer/model.ts'
import { windows } from '../../runtime/infer/window.ts'
import { type Figures, figures, loadSeries, type Series } from './nab.ts'

const row = z.object({
  nab: z.number(),
  windows: z.number(),
  found: z.number(),
  falseAlarms: z.number(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
})
const scorer = z.object({ threshold: z.number(), train: row, test: row })
const cardShape = z.object({
  split: z.object({ train: z.array(z.string()), test: z.array(z.string()) }),
  model: scorer,
  baseline: scorer,
})

const { manifest, engine } = await openModel(
  fileURLToPath(new URL('../../models/anomaly', import.meta.url)),
)
after(() => engine.release())
const card = cardShape.parse(manifest.card)
const splits = ['train', 'test'] as const

test('no series is on both sides of the split', () => {
  assert.equal(new Set([...card.split.train, ...card.split.test]).size, 6)
})

for (const split of splits) {
  test(`the committed model scores on the ${split} series what its card says`, async () => {
    const series = card.split[split].map(loadSeries)
    const alarms: number[][] = []
    for (const one of series) alarms.push(await modelAlarms(one))
    sameFigures(figures(series, alarms), card.model[split])
  })

  test(`the baseline scores on the ${split} series what the card says`, () => {
    const series = card.split[split].map(loadSeries)
    const alarms = series.map((one) => zAlarms(one, card.baseline.threshold))
    sameFigures(figures(series, alarms), card.baseline[split])
  })
}

test('on series that neither has seen, the model beats the baseline', () => {
  assert.ok(card.model.test.nab > card.baseline.test.nab + 20)
  assert.ok(card.model.test.f1 > card.baseline.test.f1)
})

test('scale and offset of a series change nothing', async () => {
  const { values } = loadSeries('realTraffic/speed_6005.csv')
  const score = async (of: (value: number) => number) => {
    const take = windows(manifest.input, 'value')
    let last: Float32Array | undefined
    for (const [i, value] of values.slice(0, 300).entries()) last = cut(take, i * 1000, of(value))
    assert.ok(last)
    return (await engine.run(last, [1, last.length])).score?.[0] as number
  }
  const plain = await score((value) => value)
  assert.ok(Math.abs((await score((value) => value * 1e-6)) - plain) < 1e-4)
  assert.ok(Math.abs((await score((value) => value * 1000 + 5e6)) - plain) < 1e-4)
})

/** Where the model says `anomaly`, the series fed reading by reading as a device would. */
async function modelAlarms({ timesMs, values }: Series): Promise<number[]> {
  const { anomaly } = manifest.outputs
  assert.ok(anomaly !== undefined && 'atLeast' in anomaly)
  const take = windows(manifest.input, 'value')
  const alarms: number[] = []
  for (const [i, value] of values.entries()) {
    const tensor = cut(take, (timesMs[i] ?? 0) - (timesMs[0] ?? 0), value)
    if (tensor === undefined) continue
    const { score } = await engine.run(tensor, [1, tensor.length])
    if ((score?.[0] ?? 0) >= anomaly.atLeast) alarms.push(i)
  }
  return alarms
}

/** Where the newest value is so many deviations off the mean of the rest of the same window. */
function zAlarms({ timesMs, values }: Series, threshold: number): number[] {
  const take = windows({ ...manifest.input, normalisation: 'none' }, 'value')
  const alarms: number[] = []
  for (const [i, value] of values.entries()) {
    const tensor = cut(take, (timesMs[i] ?? 0) - (timesMs[0] ?? 0), value)
    if (tensor === undefined) continue
    const rest = values.slice(i - tensor.length + 1, i)
    const mean = rest.reduce((sum, one) => sum + one, 0) / rest.length
    const variance = rest.reduce((sum, one) => sum + (one - mean) ** 2, 0) / rest.length
    const scale = Math.sqrt(variance) + 1e-9 * Math.abs(mean) + 1e-12
    if (Math.abs(value - mean) / scale >= threshold) alarms.push(i)
  }
  return alarms
}

function cut(take: ReturnType<typeof windows>, monotonicMs: number, value: number) {
  const moment = { stream: 'series', boot: '0'.repeat(32), monotonicMs }
  const out = take({ ...moment, values: { value }, units: {} })
  return out.kind === 'tensor' ? out.tensor : undefined
}

/** Rounded as in the card; a score right at the threshold may fall either way on another machine. */
function sameFigures(measured: Figures, stated: Figures): void {
  const { nab, ...counts } = measured
  const { nab: statedNab, ...statedCounts } = stated
  assert.ok(Math.abs(nab - statedNab) <= 0.5, `NAB score ${nab}, the card says ${statedNab}`)
  const rounded = Object.entries(counts).map(([name, value]) => [name, Number(value.toFixed(3))])
  assert.deepEqual(Object.fromEntries(rounded), statedCounts)
}
