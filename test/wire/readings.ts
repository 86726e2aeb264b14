/** Readings at the edges of what a pack can say. */
import type { Reading } from '../../runtime/wire/reading.ts'
import { boot, sampleReading } from './sample.ts'

export const unsetReading: Reading = {
  stream: 'position',
  boot,
  monotonicMs: 7,
  values: { lat: -33.859, lon: 151.2093, fix: 'none' },
  units: { lat: 'lat', lon: 'lon' },
}

export const valuesReading: Reading = {
  ...sampleReading(1),
  subject: '211000001',
  values: {
    half: 0.5,
    tenth: 0.1,
    negative: -17,
    large: 2 ** 53 - 1,
    energy: 2n ** 60n + 1n,
    on: false,
    note: 'Grüße',
    digest: Uint8Array.of(0, 1, 254, 255),
  },
  units: { energy: 'Wh' },
}
