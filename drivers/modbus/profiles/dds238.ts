/**
 * Hiking DDS238-2 ZN/S and DDS238-1: mains power meters, one phase. Power carries a sign: negative is fed
 * back. The total is import and export together.
 *
 * Source: the list of holding registers that fawno/Modbus keeps of it, from its maker; checked against
 * Tasmota (xnrg_09) and the answers that were printed there (issue 8634).
 */
import { defineProfile } from '../../../runtime/sense/driver.ts'

const energy = { type: 'u32', scale: 0.01, unit: 'kWh' } as const

export const dds238 = defineProfile({
  title: 'Hiking DDS238-2 mains power meter, one phase',
  source: 'Hiking DDS238-2 ZN/S, list of holding registers',
  blocks: [
    {
      function: 3,
      address: 0,
      count: 18,
      fields: {
        '1-0:15.8.0': { title: 'active energy, both ways together', address: 0, ...energy },
        '1-0:2.8.0': { title: 'active energy, exported', address: 8, ...energy },
        '1-0:1.8.0': { title: 'active energy, imported', address: 10, ...energy },
        '1-0:32.7.0': { title: 'voltage', address: 12, type: 'u16', scale: 0.1, unit: 'V' },
        '1-0:31.7.0': { title: 'current', address: 13, type: 'u16', scale: 0.01, unit: 'A' },
        '1-0:16.7.0': { title: 'active power', address: 14, type: 'i16', unit: 'W' },
        reactive_power: { title: 'reactive power', address: 15, type: 'u16', unit: 'var' },
        '1-0:13.7.0': { title: 'power factor', address: 16, type: 'u16', scale: 0.001 },
        '1-0:14.7.0': { title: 'frequency', address: 17, type: 'u16', scale: 0.01, unit: 'Hz' },
      },
    },
    {
      function: 3,
      address: 21,
      count: 1,
      fields: {
        line_unit: {
          ...{ title: 'unit that it is set to', address: 21, type: 'u16', mask: 0xff00 },
          detail: true,
        },
        line_speed: {
          ...{ title: '1 9600 baud, 2 4800, 3 2400, 4 1200', address: 21, type: 'u16' },
          ...{ mask: 0x00ff, detail: true },
        },
      },
    },
  ],
})
