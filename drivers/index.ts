/** Every driver, one line each. The order is that of `wayside drivers` and of `find`. */
import type { Driver } from '../runtime/sense/driver.ts'
import { modbus } from './modbus/index.ts'
import { nmea0183 } from './nmea0183/index.ts'
import { plantower } from './plantower.ts'

export const drivers: readonly Driver[] = [plantower, nmea0183, modbus]
