/**
 * Peacefair PZEM-004T v3: mains power meter, one phase. Counts what is drawn, never what is fed back.
 * Numbers of two registers have the lowest first.
 *
 * The alarm is ffff or 0000. Its functions 41 (calibration) and 42 (reset of the energy) are its own.
 *
 * Source: Peacefair, "PZEM-004T V3.0 User Manual" §2.3 to §2.6: resolutions of 0.1 V, 0.001 A, 0.1 W, 1 Wh,
 * 0.1 Hz and 0.01, "Read the measurement result", "Read and modify the slave parameters".
 */
import { defineProfile } from '../../../runtime/sense/driver.ts'

const two = { type: 'u32', order: 'cdab' } as const

export const pzem004t = defineProfile({
  title: 'Peacefair PZEM-004T v3 mains power meter',
  source: 'PZEM-004T V3.0 User Manual, input registers',
  blocks: [
    {
      function: 4,
      address: 0,
      count: 10,
      fields: {
        '1-0:32.7.0': { title: 'voltage', address: 0, type: 'u16', scale: 0.1, unit: 'V' },
        '1-0:31.7.0': { title: 'current', address: 1, ...two, scale: 0.001, unit: 'A' },
        '1-0:1.7.0': { title: 'active power, imported', address: 3, ...two, scale: 0.1, unit: 'W' },
        '1-0:1.8.0': { title: 'active energy, imported', address: 5, ...two, unit: 'Wh' },
        '1-0:14.7.0': { title: 'frequency', address: 7, type: 'u16', scale: 0.1, unit: 'Hz' },
        '1-0:13.7.0': { title: 'power factor', address: 8, type: 'u16', scale: 0.01 },
        alarm: { title: 'power is over the alarm threshold', address: 9, type: 'bit', bit: 0 },
      },
    },
    {
      function: 3,
      address: 1,
      count: 2,
      fields: {
        alarm_threshold: {
          title: 'power of the alarm',
          address: 1,
          type: 'u16',
          unit: 'W',
          detail: true,
        },
        line_unit: { title: 'unit that it is set to', address: 2, type: 'u16', detail: true },
      },
    },
  ],
})
