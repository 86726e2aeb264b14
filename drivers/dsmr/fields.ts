/**
 * The codes of P1 and what they mean. A line here is one or some of the companion standard's table; codes
 * that are not here are said all the same, with the unit that the meter gives.
 *
 * Source: "P1 Companion Standard" 2.2, 3.0, 4.2.2 and 5.0.2 (Netbeheer Nederland); e-MUCS-P1 1.7.1
 * (Fluvius); Smarty P1 (Luxembourg); E.ON Hungary P1; ESB Networks and others follow the Dutch one.
 */
import type { Field } from '../../runtime/sense/driver.ts'
import { obisFields } from '../obis.ts'

const phases = [0, 20, 40, 60]
const tariffs = [0, 1, 2, 3, 4]
const channels = [1, 2, 3, 4]

const energies = [
  ...[1, 2].flatMap((c) => tariffs.map((e) => `1-0:${c}.8.${e}`)),
  ...[3, 4].flatMap((c) => tariffs.slice(0, 3).map((e) => `1-0:${c}.8.${e}`)),
  ...[5, 6, 7, 8, 9, 10, 15, 16].map((c) => `1-0:${c}.8.0`),
]
const powers = [
  ...phases.flatMap((phase) => [1, 2, 3, 4].map((c) => `1-0:${c + phase}.7.0`)),
  ...[5, 6, 7, 8, 9, 10, 15, 16].map((c) => `1-0:${c}.7.0`),
  ...['1-0:1.4.0', '1-0:1.6.0', '1-0:2.4.0', '1-0:2.6.0'],
]
const amounts = [
  ...[32, 52, 72, 31, 51, 71, 11, 12, 13, 33, 53, 73, 14].map((c) => `1-0:${c}.7.0`),
  ...[31, 51, 71].map((c) => `1-0:${c}.4.0`),
]

const count = (title: string): Field => ({ title, type: 'integer' })
const word = (title: string): Field => ({ title, type: 'text' })
/** For the bench: what says which meter it is, and what repeats with every telegram. */
const aside = (field: Field): Field => ({ ...field, detail: true })

const ofMeter: Readonly<Record<string, Field>> = {
  '1-0:1.6.0_time': word('when the highest average was'),
  '0-0:96.14.0': word('tariff in force'),
  '0-0:96.3.10': count('breaker: 0 open, 1 closed, 2 ready to close'),
  ...Object.fromEntries(
    channels.map((n) => [`0-${n}:96.3.10`, count(`relay ${n}: 0 open, 1 closed`)]),
  ),
  '1-1:31.4.0': { title: 'current above which the breaker opens', type: 'number', unit: 'A' },
  '1-1:31.4.0-2': { title: 'the same for what is fed back, negative', type: 'number', unit: 'A' },
  // Amperes in DSMR 3, kW or kVA in others: its unit is the meter's.
  '0-0:17.0.0': { title: 'current or power above which the breaker opens', type: 'number' },
  '0-0:96.7.21': count('power failures in any phase'),
  '0-0:96.7.9': count('long power failures in any phase'),
  ...Object.fromEntries(
    [1, 2, 3].flatMap((n) => [
      [`1-0:${12 + 20 * n}.32.0`, count(`voltage sags of L${n}`)],
      [`1-0:${12 + 20 * n}.36.0`, count(`voltage swells of L${n}`)],
    ]),
  ),
}

const aboutIt: Readonly<Record<string, Field>> = {
  identification: word('first line: maker, speed and type'),
  '1-3:0.2.8': word('version of P1'),
  '0-0:96.1.4': word('version of P1 in Belgium'),
  '0-0:96.1.0': word('serial number'),
  '0-0:96.1.1': word('serial number'),
  '0-0:96.1.2': word('EAN code of the connection'),
  '0-0:42.0.0': word('logical device name'),
  '0-0:96.13.0': word('message of the operator'),
  '0-0:96.13.1': word('code of the message'),
  ...Object.fromEntries(
    [2, 3, 4, 5].map((n) => [`0-0:96.13.${n}`, word(`message ${n} of the operator`)]),
  ),
  '1-0:99.97.0': count('power failures in the log'),
  ...numbered(10, (n) => ({
    [`1-0:99.97.0-${n}`]: {
      title: `power failure ${n} of the log, how long`,
      type: 'number',
      unit: 's',
    },
    [`1-0:99.97.0-${n}_time`]: word(`when power failure ${n} of the log ended`),
  })),
  '0-0:98.1.0': count('months in the log; in Hungary energy at the end of the last month'),
  '0-0:98.1.0_time': word('end of the last month'),
  ...numbered(19, (n) => ({
    [`0-0:98.1.0-${n}`]: { title: `value ${n} of the log of months`, type: 'number' },
    [`0-0:98.1.0-${n}_time`]: word(`when value ${n} of the log was reached`),
    [`0-0:98.1.0-${n}_end`]: word(`end of the month of value ${n}`),
  })),
}

/** Meters behind this one: 2 electricity, 3 gas, 4 heat, 6 warm water, 7 water, … (EN 13757-3 table 3). */
function ofChannel(n: number): Record<string, Field> {
  const behind = `of the meter on channel ${n}`
  return {
    [`0-${n}:24.2.1`]: { title: `reading ${behind}`, type: 'number' },
    [`0-${n}:24.2.1_time`]: word(`when the reading ${behind} was taken`),
    [`0-${n}:24.2.3`]: {
      title: `reading ${behind}, not corrected for temperature`,
      type: 'number',
    },
    [`0-${n}:24.2.3_time`]: word(`when that reading ${behind} was taken`),
    [`0-${n}:24.1.0`]: aside(count(`kind ${behind}: 2 electricity, 3 gas, 4 heat, 7 water`)),
    [`0-${n}:24.4.0`]: count(`valve or switch ${behind}: 0 closed, 1 open`),
    [`0-${n}:96.1.0`]: aside(word(`serial number ${behind}`)),
    [`0-${n}:96.1.1`]: aside(word(`serial number ${behind}`)),
    [`0-${n}:96.1.2`]: aside(word(`EAN code ${behind}`)),
  }
}

export const fields: Readonly<Record<string, Field>> = {
  ...obisFields([...energies, ...powers, ...amounts], true),
  ...ofMeter,
  ...Object.assign({}, ...channels.map(ofChannel)),
  ...Object.fromEntries(Object.entries(aboutIt).map(([name, field]) => [name, aside(field)])),
}

function numbered(most: number, of: (n: number) => Record<string, Field>): Record<string, Field> {
  return Object.assign({}, ...Array.from({ length: most }, (_, i) => of(i + 1)))
}
