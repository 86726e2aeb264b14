/** Sets the demo's stage: chain, broker, sensors, and the world's keys and configs. */
import { type DemoBroker, startBroker } from './broker.ts'
import { call, chainAvailable, type DevChain, startChain, useChain } from './chain.ts'
import { Ending } from './ending.ts'
import type { Ends } from './ends.ts'
import { sdm630 } from './meter.ts'
import { type ModbusLine, startModbusLine } from './modbus.ts'
import { nmeaCapture, type PlayedSensors, plantowerCapture, startSensors } from './sensors.ts'
import type { Story } from './story.ts'
import { makeWorld, type World } from './world.ts'

export type Setting = {
  readonly chain: DevChain
  readonly broker: DemoBroker
  readonly sensors: PlayedSensors
  readonly meter: ModbusLine
  readonly world: World
}

/** What the buyer has to begin with, in millionths of the token, and what everybody has for gas. */
export const purse = 10_000_000n
const gasWei = 10n ** 18n

/** The Plantower sensor in fast mode, and one that speaks so seldom that each epoch holds one reading. */
const airEveryMs = 200
const hallEveryMs = 3_000

export async function setStage(parts: {
  readonly folder: string
  readonly story: Story
  readonly end: Ends
  readonly rpc?: string
}): Promise<Setting> {
  const { folder, story, end, rpc } = parts
  const chain = rpc === undefined ? await ownChain() : await chainAt(rpc)
  await end.add(chain.stop)
  const whose = rpc === undefined ? 'a chain of its own' : 'your chain'
  story.say(`${whose} at ${chain.rpc}, with the contracts`, 'demo/chain.ts')
  const broker = await startBroker()
  await end.add(broker.stop)
  story.say(`an MQTT broker at ${broker.url}`, 'demo/broker.ts')
  const sensors = await startSensors([
    { ...(await plantowerCapture('air')), periodMs: airEveryMs },
    { ...(await plantowerCapture('hall')), periodMs: hallEveryMs },
    await nmeaCapture('position'),
  ])
  await end.add(sensors.stop)
  const lines = Object.entries(sensors.paths).map(([name, path]) => `${name} on ${path}`)
  story.say(`real captures: ${lines.join(', ')}`, 'demo/sensors.ts')
  const meter = await startModbusLine([sdm630(1, () => performance.now() / 1000)])
  await end.add(meter.stop)
  story.say(`an electricity meter that is asked over Modbus: on ${meter.path}`, 'demo/modbus.ts')
  const ports = { ...sensors.paths, meter: meter.path }
  const world = await makeWorld({ folder, chain, broker: broker.url, ports })
  await chain.mint(world.buyer, purse)
  for (const who of [world.buyer, world.gateway]) await chain.fund(who, gasWei)
  return { chain, broker, sensors, meter, world }
}

async function ownChain(): Promise<DevChain> {
  if (chainAvailable()) return startChain()
  const machine = `${process.platform}-${process.arch}`
  const cure = 'run anvil elsewhere and name it: npm run demo -- --rpc http://HOST:8545'
  throw new Ending(2, `there is no embedded chain for ${machine}: ${cure}`)
}

async function chainAt(rpc: string): Promise<DevChain> {
  try {
    await call(rpc, 'eth_chainId', [])
  } catch {
    throw new Ending(3, `no chain answers at ${rpc}: is it running there?`)
  }
  try {
    return await useChain(rpc)
  } catch (error) {
    const why = (error as Error).message
    throw new Ending(2, `the chain at ${rpc} takes no contracts from us (${why}): it must be anvil`)
  }
}
