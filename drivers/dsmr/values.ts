/**
 * What the lines of a P1 telegram say:
 *
 *   1-0:1.8.1(000004.426*kWh)                                 one value
 *   0-1:24.2.1(170102161005W)(00000.107*m3)                   its own time, then the value
 *   0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)       the same in DSMR 2 and 3: time, status, minutes
 *   (00001.001)                                               between values, how many, code and unit; values
 *   1-0:99.97.0(1)(0-0:96.7.19)(190326095015W)(0000002014*s)  a log: how many, codes; then times and a value
 *
 * A time stands beside its value as `<code>_time`, in UTC. Of a log the code counts, `<code>-1` is the first
 * value, `<code>-1_time` its time, `<code>-1_end` that of the month; in Israel several values share a time.
 * With a time that never was (a meter that has not answered yet) the value is absent.
 */
import { type DataSet, readValue } from '../d0/dataset.ts'
import { type Gathered, gather, obisName, octets } from '../obis.ts'
import { fields } from './fields.ts'
import { instant, isTime, type Zone } from './time.ts'

export type Told = Gathered & { readonly time?: string }

export function valuesOf(sets: readonly DataSet[], zone: Zone): Told {
  const into: Gathered = { values: {}, units: {} }
  let time: string | undefined
  for (const { code, groups } of sets) {
    const name = obisName(code)
    if (name === undefined) continue
    if (isClock.test(name)) time ??= instant(groups[0] ?? '', zone)
    else if (/^0-\d:24\.3\.0$/.test(name)) readOldChannel(groups, zone, into)
    else if (isLog(groups)) readLog(name, groups, zone, into)
    else readGroups(name, groups, zone, into)
  }
  return time === undefined ? into : { ...into, time }
}

/** The clock of the meter; the WarmteLink of a heat meter calls it 1.1.0. */
const isClock = /^0-0:1\.[01]\.0$/

/** Where a code comes with several times, as gas by the hour does in Actaris' ACE4000, the latest is told. */
function readGroups(name: string, groups: readonly string[], zone: Zone, into: Gathered): void {
  const isTimeOf = (group: string, i: number) =>
    isTime(group) || (groups.length > 1 && (i === 0 ? /^\d{12}$/ : written).test(group))
  const times = groups.filter(isTimeOf).map((group) => instant(group.replace(/[-: ]/g, ''), zone))
  if (times.includes(undefined)) return
  const [time] = times
  const before = into.values[`${name}_time`]
  if (time !== undefined && before !== undefined) {
    if (time <= before) return
    delete into.values[name]
    delete into.values[`${name}_time`]
  }
  gather(into, `${name}_time`, time)
  const values = groups.filter((group, i) => !isTimeOf(group, i))
  for (const [i, group] of values.entries()) put(i === 0 ? name : `${name}-${i + 1}`, group, into)
}

const written = /^\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/

function put(name: string, group: string, into: Gathered): void {
  const { type, unit: wanted } = fields[name] ?? {}
  const isName = type === 'text' || /:0\.2\./.test(name)
  const bare = isName ? 'names' : type === undefined ? undefined : 'counts'
  const read = readValue(group, bare, wanted)
  if (read === undefined) return
  const { value, unit } = read
  if (typeof value !== 'string') gather(into, name, value, unit)
  else if (bare !== 'counts') {
    const text = inHex.test(name) ? octets(value, !/:96\.13\./.test(name)) : value
    gather(into, name, text === '' || erased.test(text) ? undefined : text)
  }
}

/** Memory that was never written, in hex. */
const erased = /^(FF){4,}$/

/** Octet strings: serial numbers and messages are sent in hex. The version of Belgium is not. */
const inHex = /^0-\d:(96\.1\.[0-35-9]|96\.13\.\d|42\.0\.0)$/

function readOldChannel(groups: readonly string[], zone: Zone, into: Gathered): void {
  const [taken = '', , , many = '1', ...rest] = groups
  const columns = Number(many)
  const time = instant(taken, zone)
  if (time === undefined || !(columns >= 1 && columns <= 8)) return
  for (let i = 0; i < columns; i += 1) {
    const [code = '', unit = ''] = rest.slice(2 * i)
    const name = obisName(code)
    const digits = rest[2 * columns + i]
    if (name === undefined || digits === undefined) return
    put(name, unit === '' ? digits : `${digits}*${unit}`, into)
    gather(into, `${name}_time`, time)
  }
}

const isCode = (text: string | undefined) => /^(\d+-)?\d+:\d+\.\d+\.\d+$/.test(text ?? '')

function isLog(groups: readonly string[]): boolean {
  return /^\d{1,3}$/.test(groups[0] ?? '') && isCode(groups[1])
}

function readLog(name: string, groups: readonly string[], zone: Zone, into: Gathered): void {
  const entries = groups.slice(1).filter((group) => !isCode(group))
  gather(into, name, Number(groups[0]))
  let times: string[] = []
  let ends = true
  let n = 1
  for (const group of entries) {
    if (/^\d{12}[SW]?$/.test(group)) {
      times = ends ? [group] : [...times, group]
      ends = false
      continue
    }
    ends = true
    const instants = times.map((text) => instant(text, zone))
    if (!instants.includes(undefined)) {
      put(`${name}-${n}`, group, into)
      gather(into, `${name}-${n}_time`, instants.at(-1))
      if (instants.length > 1) gather(into, `${name}-${n}_end`, instants[0])
    }
    n += 1
  }
}
