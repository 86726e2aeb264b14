import { join } from 'node:path'
import { noMosquitto, startMosquitto } from '../../link/mosquitto.ts'
import { journey } from '../journey.ts'
import { settled, wantsAir } from '../purchase.ts'
import type { Stall } from '../stall.ts'
import type { Street } from '../street.ts'

export const bridged = journey({
  name: 'bridged broker',
  says: 'a buyer at a broker that is bridged to ours, both ways, buys as one at ours does',
  brokers: ['aedes', 'mosquitto-3.1.1', 'mosquitto-5'],
  missing: () => noMosquitto,
  withinS: 240,
  async run(street, t) {
    const stall = street.stalls[0] as Stall
    await stall.open()
    const operator = await street.operate()
    const far = await startMosquitto(t, { flavour: '5', conf: bridgeTo(street) })
    const json = join(street.folder, 'bought.json')
    const { file } = street.people.buyer
    const buyer = street.wayside(
      ...['buy', '--broker', far.url, '--key', file, '--folder', join(street.folder, 'books')],
      ...wantsAir(street, stall, json),
    )
    await buyer.heard(30)
    await settled(street, operator, { buyer, json })
  },
})

/**
 * Everything both ways, as a city may write it that does not want to think: what comes from us goes back to
 * us, and is refused there by the access list, where there is one.
 */
function bridgeTo({ url }: Street): string[] {
  const { hostname, port } = new URL(url)
  return [
    ...['connection street', `address ${hostname}:${port}`, 'topic wayside/1/# both 1'],
    ...['bridge_attempt_unsubscribe false', 'try_private true', 'notifications false'],
  ]
}
