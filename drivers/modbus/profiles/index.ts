/** The profiles that come with the product, one line each. A profile is a table and needs no code. */
import type { Profile } from '../../../runtime/sense/driver.ts'
import { senseairS8, xymd02 } from './air.ts'
import { dds238 } from './dds238.ts'
import { sdm72, sdm120, sdm230, sdm630 } from './eastron.ts'
import { pzem004t } from './pzem004t.ts'
import { pzem017 } from './pzem017.ts'

export const profiles: Readonly<Record<string, Profile>> = {
  sdm630,
  sdm230,
  sdm120,
  sdm72,
  'pzem-004t': pzem004t,
  'pzem-017': pzem017,
  dds238,
  'xy-md02': xymd02,
  'senseair-s8': senseairS8,
}
