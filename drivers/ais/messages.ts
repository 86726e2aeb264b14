/**
 * The messages that are read, as tables: field → where its bits stand (Recommendation ITU-R M.1371-5, annex
 * 8; bit 0 is the first). Values are in SI units, angles in degrees.
 */
import type { Value } from '../../runtime/sense/driver.ts'
import {
  type Bits,
  bad,
  type Column,
  type Columns,
  knots,
  number,
  place,
  readWords,
  tidy,
  truth,
  words,
} from './bits.ts'
import { aidText, epfdText, shiptypeText, spelled, statusText } from './words.ts'

export type Message = {
  /** Bits that it has at least; what is longer says more, which is passed over. */
  readonly size: number
  readonly columns: Columns
}

/** Every message: its type, how often it was repeated, and who sent it. */
export const head: Columns = {
  type: number(0, 6),
  repeat: number(6, 2),
  mmsi: (bits) => (bits.unsigned(8, 30) > 999_999_999 ? bad : bits.unsigned(8, 30)),
}

const classA: Message = {
  // 168 by the book; some receivers lose the end of what says how stations take turns.
  size: 163,
  columns: {
    ...coded('status', number(38, 4, { none: 15 }), statusText),
    turn: rateOfTurn(42),
    turning: turningHard(42),
    speed: knots(50, 10, { per: 10, none: 1023 }),
    accuracy: truth(60),
    ...fullPlace(61),
    course: number(116, 12, { per: 10, most: 3599 }),
    heading: number(128, 9, { most: 359 }),
    ...secondAt(137),
    maneuver: number(143, 2, { none: 0 }),
    raim: truth(148),
  },
}

const baseStation: Message = {
  size: 168,
  columns: {
    time: baseTime,
    accuracy: truth(78),
    ...fullPlace(79),
    ...epfdAt(134),
    raim: truth(148),
  },
}

const voyage: Message = {
  // 424 by the book; some transponders leave out the last bits.
  size: 420,
  columns: {
    ais_version: number(38, 2),
    imo: number(40, 30, { none: 0 }),
    callsign: words(70, 42),
    shipname: words(112, 120),
    ...coded('shiptype', number(232, 8, { none: 0 }), shiptypeText),
    ...dimensions(240),
    ...epfdAt(270),
    eta: arrival,
    draught: number(294, 8, { per: 10, none: 0 }),
    destination: words(302, 120),
    dte: number(422, 1),
  },
}

const aircraft: Message = {
  size: 168,
  columns: {
    alt: number(38, 12, { none: 4095 }),
    speed: knots(50, 10, { none: 1023 }),
    accuracy: truth(60),
    ...fullPlace(61),
    course: number(116, 12, { per: 10, most: 3599 }),
    ...secondAt(128),
    regional: number(134, 8),
    dte: number(142, 1),
    assigned: truth(146),
    raim: truth(147),
  },
}

/** What the two position reports of class B begin with. */
const classB: Columns = {
  speed: knots(46, 10, { per: 10, none: 1023 }),
  accuracy: truth(56),
  ...fullPlace(57),
  course: number(112, 12, { per: 10, most: 3599 }),
  heading: number(124, 9, { most: 359 }),
  ...secondAt(133),
}

const classBShort: Message = {
  size: 168,
  columns: {
    ...classB,
    cs: truth(141),
    display: truth(142),
    dsc: truth(143),
    band: truth(144),
    msg22: truth(145),
    assigned: truth(146),
    raim: truth(147),
  },
}

const classBLong: Message = {
  size: 312,
  columns: {
    ...classB,
    shipname: words(143, 120),
    ...coded('shiptype', number(263, 8, { none: 0 }), shiptypeText),
    ...dimensions(271),
    ...epfdAt(301),
    raim: truth(305),
    dte: number(306, 1),
    assigned: truth(307),
  },
}

const aid: Message = {
  // 272 by the book; some aids end behind what is of their own.
  size: 268,
  columns: {
    ...coded('aid_type', number(38, 5, { none: 0 }), aidText),
    name: longName,
    accuracy: truth(163),
    ...fullPlace(164),
    ...dimensions(219),
    ...epfdAt(249),
    ...secondAt(253),
    off_position: (bits) => (bits.unsigned(253, 6) < 60 ? truth(259)(bits) : undefined),
    regional: number(260, 8),
    raim: truth(268),
    virtual_aid: truth(269),
    assigned: truth(270),
  },
}

const staticA: Message = {
  size: 160,
  columns: { part_num: number(38, 2), shipname: words(40, 120) },
}

const staticB: Message = {
  size: 162,
  columns: {
    part_num: number(38, 2),
    ...coded('shiptype', number(40, 8, { none: 0 }), shiptypeText),
    vendorid: words(48, 18),
    model: number(66, 4),
    serial: number(70, 20),
    callsign: words(90, 42),
    ...unlessAuxiliary(dimensions(132)),
    mothership_mmsi: (bits) =>
      isAuxiliary(bits) ? bits.unsigned(132, 30) || undefined : undefined,
    ...epfdAt(162),
  },
}

const longRange: Message = {
  size: 96,
  columns: {
    accuracy: truth(38),
    raim: truth(39),
    ...coded('status', number(40, 4, { none: 15 }), statusText),
    ...place({ at: 44, count: 18 }, { at: 62, count: 17 }, 600),
    speed: knots(79, 6, { none: 63 }),
    course: number(85, 9, { most: 359 }),
    gnss: truth(94),
  },
}

const messages: Readonly<Record<number, Message>> = {
  ...{ 1: classA, 2: classA, 3: classA, 4: baseStation, 5: voyage, 9: aircraft },
  ...{ 18: classBShort, 19: classBLong, 21: aid, 27: longRange },
}

/** The table of the message that these bits are of; type 24 has two parts, and type 8 its own file. */
export function tableOf(bits: Bits): Message | undefined {
  const type = bits.unsigned(0, 6)
  if (type !== 24) return messages[type]
  return [staticA, staticB][bits.unsigned(38, 2)]
}

function fullPlace(at: number): Columns {
  return place({ at, count: 28 }, { at: at + 28, count: 27 }, 600_000)
}

function coded(name: string, code: Column, table: (code: number) => string | undefined): Columns {
  return { [name]: code, [`${name}_text`]: spelled(code, table) }
}

function epfdAt(at: number): Columns {
  return coded('epfd', number(at, 4, { none: 0 }), epfdText)
}

/** Seconds of the UTC minute; from 60 on, why there are none. */
function secondAt(at: number): Columns {
  const why: Readonly<Record<number, string>> = { 61: 'manual', 62: 'estimated', 63: 'inoperative' }
  return {
    second: number(at, 6, { most: 59 }),
    positioning: (bits) => why[bits.unsigned(at, 6)],
  }
}

/** 4.733 times the root of degrees a minute, to starboard positive; 127 either way is no rate, only a side. */
function rateOfTurn(at: number): Column {
  return (bits) => {
    const raw = bits.signed(at, 8)
    if (Math.abs(raw) > 126) return undefined
    return tidy((Math.sign(raw) * (raw / 4.733) ** 2) / 60)
  }
}

function turningHard(at: number): Column {
  return (bits) => ({ 127: 'starboard', [-127]: 'port' })[bits.signed(at, 8)]
}

/** To bow, stern, port and starboard from the antenna, 9, 9, 6 and 6 bits; all 0: not available. */
function dimensions(at: number): Columns {
  const known = (column: Column): Column => {
    return (bits) => {
      const here = at + 30 <= bits.size && bits.unsigned(at, 30) !== 0
      return here ? column(bits) : undefined
    }
  }
  return {
    to_bow: known(number(at, 9)),
    to_stern: known(number(at + 9, 9)),
    to_port: known(number(at + 18, 6)),
    to_starboard: known(number(at + 24, 6)),
  }
}

/** 98XXXYYYY is a craft of a mother ship, and has her number where others have dimensions. */
function isAuxiliary(bits: Bits): boolean {
  return Math.floor(bits.unsigned(8, 30) / 10_000_000) === 98
}

function unlessAuxiliary(columns: Columns): Columns {
  const found = Object.entries(columns).map(([name, column]): [string, Column] => [
    name,
    (bits) => (isAuxiliary(bits) ? undefined : column(bits)),
  ])
  return Object.fromEntries(found)
}

/** Twenty letters, and up to fourteen more at the end of the message. */
function longName(bits: Bits): Value | undefined {
  const text = readWords(bits, 43, 120) + readWords(bits, 272, 84)
  return text.replace(/@.*$/, '').trimEnd() || undefined
}

function baseTime(bits: Bits): Value | undefined {
  const [year, month, day] = [bits.unsigned(38, 14), bits.unsigned(52, 4), bits.unsigned(56, 5)]
  const [hour, minute, second] = [bits.unsigned(61, 5), bits.unsigned(66, 6), bits.unsigned(72, 6)]
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  const isDay = year >= 1970 && year <= 9999 && date.getUTCMonth() === month - 1 && day > 0
  if (!isDay || hour > 23 || minute > 59 || second > 59) return undefined
  return date.getUTCDate() === day ? date.toISOString().replace('.000', '') : undefined
}

/** Month and day, hour and minute, UTC; the year is nowhere said. */
function arrival(bits: Bits): Value | undefined {
  const [month, day] = [bits.unsigned(274, 4), bits.unsigned(278, 5)]
  const [hour, minute] = [bits.unsigned(283, 5), bits.unsigned(288, 6)]
  if (month < 1 || month > 12 || day < 1) return undefined
  const date = `${two(month)}-${two(day)}`
  return hour > 23 || minute > 59 ? date : `${date}T${two(hour)}:${two(minute)}Z`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
