/** Air: temperature, humidity and CO2 over Modbus. */
import { defineProfile } from '../../../runtime/sense/driver.ts'

/**
 * Source: XY-MD02 (SHT20 or SHT40 with RS485) user manual, "Modbus protocol", as its sellers print it:
 * tenths, the temperature signed (0x0131 is 30.5 °C, 0xff33 is −20.5 °C), humidity 0x0222 is 54.6 %RH.
 */
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
    {
      function: 3,
      address: 0x0101,
      count: 4,
      fields: {
        line_unit: { title: 'unit that it is set to', address: 0x0101, type: 'u16', detail: true },
        line_speed: {
          title: 'baud, or 0 9600, 1 14400, 2 19200',
          address: 0x0102,
          type: 'u16',
          detail: true,
        },
        temperature_correction: {
          ...{ title: 'added to the temperature', address: 0x0103, type: 'i16', scale: 0.1 },
          ...{ unit: 'Cel', detail: true },
        },
        humidity_correction: {
          ...{ title: 'added to the humidity', address: 0x0104, type: 'i16', scale: 0.1 },
          ...{ unit: '%RH', detail: true },
        },
      },
    },
  ],
})

/**
 * Unit 254 is any sensor: a line carries one S8. The status, whose bits name errors of the measurement, comes
 * with the value in one request, so that no value is taken that the sensor itself disowns.
 *
 * Bits of the status, the lowest first: fatal error, offset regulation, algorithm, output, self-diagnostics,
 * out of range, memory. ABC is its self-calibration; its period is in hours, 0 being off.
 *
 * Source: Senseair, "Modbus on Senseair S8" (TDE2067): IR1 to IR4, IR26 to IR31, HR32, "CO2 read sequence";
 * numbers and bits checked against the lists of S8_UART (Josep Comas) and AirGradient's library.
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
    {
      function: 4,
      address: 25,
      count: 6,
      fields: {
        sensor_type: { title: 'type of the sensor', address: 25, type: 'u32', detail: true },
        map_version: { title: 'version of its registers', address: 27, type: 'u16', detail: true },
        firmware: {
          title: 'firmware, main version × 256 + sub version',
          address: 28,
          type: 'u16',
          detail: true,
        },
        serial_number: { title: 'number of the sensor', address: 29, type: 'u32', detail: true },
      },
    },
    {
      function: 3,
      address: 31,
      count: 1,
      fields: {
        abc_period: {
          title: 'period of self-calibration',
          address: 31,
          type: 'u16',
          unit: 'h',
          detail: true,
        },
      },
    },
  ],
  doubts: [{ field: 'meter_status', mask: 0x7f, says: 'the sensor reports an error' }],
})
