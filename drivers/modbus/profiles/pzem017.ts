/**
 * Peacefair PZEM-017 and PZEM-003: direct current, over a shunt or through the meter. Numbers of two
 * registers have the lowest first; it wants two stop bits. An alarm is ffff or 0000.
 *
 * Source: Peacefair, "PZEM-003/017 User Manual" §2.3 and §2.4: resolutions of 0.01 V, 0.01 A, 0.1 W and
 * 1 Wh. Checked against ESPHome (pzemdc) and an answer of such a meter that stands in issue 78 of
 * ptvoinfo/zigbee-configurable-firmware.
 */
import { defineProfile } from '../../../runtime/sense/driver.ts'

const two = { type: 'u32', order: 'cdab' } as const

export const pzem017 = defineProfile({
  title: 'Peacefair PZEM-017 and PZEM-003 meters of direct current',
  source: 'PZEM-003/017 User Manual, input registers',
  stopBits: 2,
  blocks: [
    {
      function: 4,
      address: 0,
      count: 8,
      fields: {
        voltage: { title: 'voltage', address: 0, type: 'u16', scale: 0.01, unit: 'V' },
        current: { title: 'current', address: 1, type: 'u16', scale: 0.01, unit: 'A' },
        power: { title: 'power', address: 2, ...two, scale: 0.1, unit: 'W' },
        energy: { title: 'energy', address: 4, ...two, unit: 'Wh' },
        over_voltage: { title: 'voltage is over its alarm', address: 6, type: 'bit', bit: 0 },
        under_voltage: { title: 'voltage is under its alarm', address: 7, type: 'bit', bit: 0 },
      },
    },
    {
      function: 3,
      address: 0,
      count: 4,
      fields: {
        voltage_most: {
          ...{ title: 'alarm over this voltage', address: 0, type: 'u16', scale: 0.01 },
          ...{ unit: 'V', detail: true },
        },
        voltage_least: {
          ...{ title: 'alarm under this voltage', address: 1, type: 'u16', scale: 0.01 },
          ...{ unit: 'V', detail: true },
        },
        line_unit: { title: 'unit that it is set to', address: 2, type: 'u16', detail: true },
        shunt: {
          ...{ title: 'current of its shunt at 75 mV', address: 3, type: 'u16', detail: true },
          words: { 0: '100 A', 1: '50 A', 2: '200 A', 3: '300 A' },
        },
      },
    },
  ],
})
