/** Every journey of the table, in its order. */
import { cheats } from '../cheats/index.ts'
import type { Journey } from '../journey.ts'
import { bridged } from './bridged.ts'
import { buyerClock, deviceClock } from './clocks.ts'
import { diskFull } from './disk.ts'
import { fleet, ownOnly, restarted } from './fleet.ts'
import { lossy } from './loss.ts'
import { forbidden, narrow } from './narrow.ts'
import {
  brokerFrozen,
  brokerGone,
  brokerKept,
  chainGone,
  clockAstray,
  gatewayGone,
  lineCut,
  sensorGone,
} from './outages.ts'
import { brokerRestored } from './restored.ts'
import { own, sale } from './sale.ts'
import { stock, stockMqtt5 } from './stock.ts'

export const journeys: readonly Journey[] = [
  sale,
  own,
  ownOnly,
  fleet,
  restarted,
  stock,
  stockMqtt5,
  brokerFrozen,
  lineCut,
  brokerGone,
  brokerKept,
  brokerRestored,
  chainGone,
  gatewayGone,
  sensorGone,
  clockAstray,
  buyerClock,
  deviceClock,
  diskFull,
  lossy,
  narrow,
  forbidden,
  bridged,
  ...cheats,
]
