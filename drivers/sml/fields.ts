/**
 * The codes that meters send over SML. Those that are not here are said all the same, with the unit that
 * the meter gives. Source: FNN "Lastenheft Basiszähler" and "EDL"; the lists of EMH, Iskraemeco, Itron, ….
 */
import type { Field } from '../../runtime/sense/driver.ts'
import { obisFields } from '../obis.ts'

const codes = [
  ...[1, 2].flatMap((c) => [0, 1, 2, 3, 4].map((e) => `1-0:${c}.8.${e}`)),
  ...[3, 4, 5, 6, 7, 8, 9, 10, 15, 16].map((c) => `1-0:${c}.8.0`),
  ...[0, 20, 40, 60].flatMap((phase) => [1, 2, 3, 4, 9, 16, 15].map((c) => `1-0:${c + phase}.7.0`)),
  ...[11, 12, 13, 14, 31, 32, 33, 51, 52, 53, 71, 72, 73, 91].map((c) => `1-0:${c}.7.0`),
]

/** Value group F of counters that a meter keeps by itself: FNN, "historische Verbrauchswerte". */
const past: readonly (readonly [period: number, what: string])[] = [
  [96, 'the last day'],
  [97, 'the last 7 days'],
  [98, 'the last 30 days'],
  [99, 'the last 365 days'],
  [100, 'since it was set back'],
]

const angles: readonly (readonly [code: string, what: string])[] = [
  ['1-0:81.7.1', 'angle of the voltage of L2 to that of L1'],
  ['1-0:81.7.2', 'angle of the voltage of L3 to that of L1'],
  ['1-0:81.7.4', 'angle of the current in L1 to the voltage of L1'],
  ['1-0:81.7.15', 'angle of the current in L2 to the voltage of L2'],
  ['1-0:81.7.26', 'angle of the current in L3 to the voltage of L3'],
]

const word = (title: string): Field => ({ title, type: 'text', detail: true })
const count = (title: string): Field => ({ title, type: 'integer', detail: true })

export const fields: Readonly<Record<string, Field>> = {
  ...obisFields(codes, false),
  ...Object.fromEntries(
    past.flatMap(([period, what]) => [
      [
        `1-0:1.8.0_${period}`,
        { title: `active energy, imported, ${what}`, type: 'number', unit: 'Wh' },
      ],
      [
        `1-0:2.8.0_${period}`,
        { title: `active energy, exported, ${what}`, type: 'number', unit: 'Wh' },
      ],
    ]),
  ),
  ...Object.fromEntries(
    angles.map(([code, title]) => [code, { title, type: 'number', unit: 'deg' }]),
  ),
  status: count('status word of the meter'),
  secIndex: count("seconds of the meter's own count"),
  server: word('server id'),
  '1-0:0.0.0': word('number of the meter'),
  '1-0:0.0.9': word('server id'),
  '1-0:0.2.0': word('version of the firmware'),
  '1-0:0.2.0_0': word('version of the firmware'),
  '0-0:96.1.0': word('server id'),
  '1-0:96.1.0': word('server id'),
  '1-0:96.5.0': count('status'),
  '1-0:96.50.1_1': word('maker'),
  '129-129:199.130.3': word('maker'),
  '129-129:199.130.5': word('public key'),
  '1-0:96.90.2': word('checksum of the firmware'),
  '1-0:96.90.2_1': word('checksum of the firmware'),
  '1-0:97.97.0': word('errors'),
}
