/** Every driver, one line each. The order is that of `wayside drivers` and of `find`. */
import type { Driver } from '../runtime/sense/driver.ts'
import { ais } from './ais/index.ts'
import { d0 } from './d0/index.ts'
import { dsmr } from './dsmr/index.ts'
import { lines } from './lines/index.ts'
import { mhz19 } from './mhz19.ts'
import { modbus } from './modbus/index.ts'
import { nmea0183 } from './nmea0183/index.ts'
import { plantower } from './plantower.ts'
import { sds011 } from './sds011.ts'
import { sml } from './sml/index.ts'
import { sps30 } from './sps30.ts'
import { ubx } from './ubx/index.ts'
import { vedirect } from './vedirect/index.ts'

export const drivers: readonly Driver[] = [
  plantower,
  sds011,
  sps30,
  mhz19,
  nmea0183,
  ais,
  ubx,
  modbus,
  vedirect,
  dsmr,
  sml,
  d0,
  lines,
]
