/** Air: temperature, humidity and CO2 over Modbus. */
import { defineProfile } from '../../../runtime/sense/driver.ts'

/** Source: XY-MD02 (SHT20 with RS485) user manual, "Modbus protocol": tenths, signed. */
export const xymd02 = defineProfile({
  title: 'XY-MD02 temperature and humidity sensor (SHT20)',
  source: 'XY-MD02 manual, input registers',
  blocks: [
    {
      function: 4,
      address: 1,
      count: 2,
      fields: {
        temperature: { title: 'temperature', address: 1, type: 'i16', scale: 0.1, unit: 'Cel' },
        humidity: { title: 'relative humidity', address: 2, type: 'u16', scale: 0.1, unit: '%RH' },
      },
    },
  ],
})

/**
 * Unit 254 is any sensor: a line carries one S8. The status, whose bits name errors of the measurement, comes
 * with the value in one request, so that no value is taken that the sensor itself disowns.
 *
 * Source: Senseair, "Modbus on Senseair S8" (TDE2067): IR1 to IR4, "CO2 read sequence".
 */
export const senseairS8 = defineProfile({
  title: 'Senseair S8 CO2 sensor',
  source: 'Senseair TDE2067, input registers IR1 to IR4',
  unit: 254,
  blocks: [
    {
      function: 4,
      address: 0,
      count: 4,
      fields: {
        meter_status: { title: 'bits of errors', address: 0, type: 'u16', detail: true },
        alarm_status: { title: 'bits of alarms', address: 1, type: 'u16', detail: true },
        output_status: { title: 'bits of outputs', address: 2, type: 'u16', detail: true },
        co2: { title: 'CO2 in air', address: 3, type: 'i16', unit: 'ppm' },
      },
    },
  ],
  doubts: [{ field: 'meter_status', mask: 0x7f, says: 'the sensor reports an error' }],
})
