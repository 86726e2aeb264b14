/** Every journey of the table, in its order. */
import { cheats } from '../cheats/index.ts'
import type { Journey } from '../journey.ts'
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
import { own, sale } from './sale.ts'

export const journeys: readonly Journey[] = [
  sale,
  own,
  brokerFrozen,
  lineCut,
  brokerGone,
  brokerKept,
  chainGone,
  gatewayGone,
  sensorGone,
  clockAstray,
  ...cheats,
]
