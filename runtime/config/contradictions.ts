/** What no single setting of a device can say of itself: where two of them do not go together. */
import type { Config, SensorConfig } from './config.ts'
import type { Mistake } from './mistake.ts'
import { smallestUnits } from './quantity.ts'

/** Every pair of settings of this config that cannot both be meant. */
export function contradictions(config: Config): Mistake[] {
  const streams = streamsOf(config)
  return [
    ...twice(streams),
    ...streams.flatMap(({ asked, path }) => unpayable(config, asked, path)),
    ...money(config),
    ...config.models.flatMap(({ input }, i) => {
      if (config.sensors.some(({ name }) => name === input.stream)) return []
      const what = `no sensor is named ${input.stream}`
      return [{ path: ['models', i, 'input', 'stream'], what, hint: 'name one of `sensors`' }]
    }),
  ]
}

type Stream = {
  readonly name: string
  readonly asked: SensorConfig['price']
  readonly path: readonly (string | number)[]
}

function streamsOf({ sensors, models }: Config): Stream[] {
  const named = (kind: string) => (of: { name: string; price: Stream['asked'] }, i: number) => {
    return { name: of.name, asked: of.price, path: [kind, i] }
  }
  return [...sensors.map(named('sensors')), ...models.map(named('models'))]
}

function twice(streams: readonly Stream[]): Mistake[] {
  const mistakes: Mistake[] = []
  const seen = new Set<string>()
  for (const { name, path } of streams) {
    const why = name === 'device' ? "is the device's own chain" : 'names two streams'
    if (name === 'device' || seen.has(name)) {
      mistakes.push({
        path: [...path, 'name'],
        what: `${name} ${why}`,
        hint: 'choose another name',
      })
    }
    seen.add(name)
  }
  return mistakes
}

function unpayable({ rails }: Config, asked: Stream['asked'], path: Stream['path']): Mistake[] {
  if (asked === 'free') return []
  const [rail] = rails
  if (rail === undefined) {
    const hint = 'add `rails`, or say `price: free`'
    return [{ path: [...path, 'price'], what: 'a price without a rail to pay on', hint }]
  }
  if (smallestUnits(asked.amount, rail.decimals) !== undefined) return []
  const what = "finer than the token's smallest unit"
  return [{ path: [...path, 'price', 'amount'], what, hint: 'lengthen `per`' }]
}

function money({ rails, gateway, receiver, sale }: Config): Mistake[] {
  const [rail] = rails
  if (rail === undefined) return []
  const mistakes: Mistake[] = []
  for (const [name, address] of Object.entries({ gateway, receiver })) {
    if (BigInt(address) !== 0n) continue
    mistakes.push({ path: [name], what: 'nobody has the address 0', hint: 'write whose it is' })
  }
  for (const [i, { decimals }] of rails.entries()) {
    if (decimals === rail.decimals) continue
    const hint = 'prices need one unit'
    mistakes.push({ path: ['rails', i, 'decimals'], what: 'differs from the first rail', hint })
  }
  if (smallestUnits(sale.exposure, rail.decimals) === undefined) {
    const what = "finer than the token's smallest unit"
    mistakes.push({ path: ['sale', 'exposure'], what, hint: 'round it up' })
  }
  return mistakes
}
