/**
 * The codes of meters of electricity and heat that speak IEC 62056-21. Many leave out medium and channel and
 * say `1.8.0`: their codes are fields as they stand. What is not here is said all the same.
 *
 * Source: EDIS, DIN 43863-3; EN 1434-3 for heat; the manuals of Landis+Gyr (ZMD, Ultraheat), Iskraemeco, EMH.
 */
import type { Field, Unit } from '../../runtime/sense/driver.ts'
import { obisFields } from '../obis.ts'

const electricity = [
  ...[1, 2, 3, 4].flatMap((c) => [0, 1, 2, 3, 4].map((e) => `${c}.8.${e}`)),
  ...[5, 6, 7, 8, 9, 10, 15, 16].map((c) => `${c}.8.0`),
  ...[0, 20, 40, 60].flatMap((phase) => [1, 2, 3, 4, 9, 16, 15].map((c) => `${c + phase}.7.0`)),
  ...[11, 12, 13, 14, 31, 32, 33, 51, 52, 53, 71, 72, 73].map((c) => `${c}.7.0`),
  ...[1, 2].flatMap((c) => [4, 6].map((d) => `${c}.${d}.0`)),
]

const time = (title: string): Field => ({ title, type: 'text' })
const word = (title: string): Field => ({ title, type: 'text', detail: true })

const heat: Readonly<Record<string, Field>> = {
  '6.8': { title: 'heat', type: 'number', unit: 'kWh' },
  '6.26': { title: 'volume', type: 'number', unit: 'm3' },
  '6.4': { title: 'power', type: 'number', unit: 'kW' },
  '6.6': { title: 'highest power', type: 'number', unit: 'kW' },
  '6.27': { title: 'flow', type: 'number', unit: 'm3/s' },
  '6.33': { title: 'highest flow', type: 'number', unit: 'm3/s' },
  '6.29': { title: 'temperature of the forward flow', type: 'number', unit: 'Cel' },
  '6.28': { title: 'temperature of the return flow', type: 'number', unit: 'Cel' },
  '6.30': { title: 'difference of the temperatures', type: 'number', unit: 'K' },
  '6.35': { title: 'over how long the highest power is averaged', type: 'number', unit: 'min' },
  '6.31': { title: 'hours of operation', type: 'number', unit: 'h' },
  '6.32': { title: 'hours of failure', type: 'number', unit: 'h' },
  '9.4': { title: 'highest temperature of the forward flow', type: 'number', unit: 'Cel' },
  '9.4-2': { title: 'highest temperature of the return flow', type: 'number', unit: 'Cel' },
}

const about: Readonly<Record<string, Field>> = {
  identification: word('first line: maker, speed and type'),
  'F.F': word('errors'),
  '0-0:F.F.0': word('errors'),
  F: word('errors'),
  'C.1': word('serial number'),
  'C.1.0': word('serial number'),
  '0-0:C.1.0': word('serial number'),
  '0.0.0': word('number of the meter'),
  '1-0:0.0.0': word('number of the meter'),
  '1-0:0.0.1': word('number of the meter'),
  '0.0': word('number of the meter'),
  '0.2.0': word('version of the firmware'),
  '1-0:0.2.0': word('version of the firmware'),
  '9.20': word('number of the meter'),
  '9.21': word('number given by the owner'),
  '0-0:96.1.255': word('number of the meter'),
}

/** The unit of a code, whatever its period; of another channel it is that of the first. */
export function unitOf(name: string): Unit | undefined {
  const running = name.replace(/_\d+(?=$|-\d+$)/, '')
  return (fields[running] ?? fields[running.replace(/^1-\d+:/, '1-0:')])?.unit
}

export const fields: Readonly<Record<string, Field>> = {
  ...obisFields(electricity, true),
  ...obisFields(
    electricity.map((code) => `1-0:${code}`),
    true,
  ),
  '1.6.0_time': time('when the highest average was'),
  '1-0:1.6.0_time': time('when the highest average was'),
  ...heat,
  ...about,
}
