/**
 * The weather and water of message 8, in both forms that are on the air: field → where its bits stand.
 *
 *   DAC 1, FI 31   IMO SN.1/Circ.289, annex 1 (2010)     360 bits
 *   DAC 1, FI 11   IMO SN/Circ.236, annex 2 (2004)       352 bits: another order, other zeros
 */
import { type Bits, type Column, type Columns, knots, number, place, truth } from './bits.ts'
import type { Message } from './messages.ts'

const mile = 1852

const now: Message = {
  size: 350,
  columns: {
    ...place({ at: 56, count: 25 }, { at: 81, count: 24 }, 60_000),
    accuracy: truth(105),
    observed: observedAt(106),
    ...wind(122, 129, 136, 145),
    temperature: number(154, 11, { per: 10, signed: true, least: -600, most: 600 }),
    humidity: number(165, 7, { most: 100 }),
    dewpoint: number(172, 10, { per: 10, signed: true, least: -200, most: 500 }),
    pressure: number(182, 9, { per: 0.01, from: 79_900, most: 402 }),
    pressuretend: number(191, 2, { none: 3 }),
    visgreater: truth(193),
    visibility: number(194, 7, { per: 10 / mile, none: 127 }),
    waterlevel: number(201, 12, { per: 100, from: -10, most: 4000 }),
    leveltrend: number(213, 2, { none: 3 }),
    ...current('', 215),
    ...current('2', 232),
    cdepth2: number(249, 5, { none: 31 }),
    ...current('3', 254),
    cdepth3: number(271, 5, { none: 31 }),
    ...waves(276),
    seastate: number(322, 4, { most: 12 }),
    watertemp: number(326, 10, { per: 10, signed: true, least: -100, most: 500 }),
    preciptype: number(336, 3, { most: 6 }),
    salinity: number(339, 9, { per: 10, most: 509 }),
    ice: number(348, 2, { none: 3 }),
  },
}

const once: Message = {
  size: 346,
  columns: {
    ...place({ at: 80, count: 25 }, { at: 56, count: 24 }, 60_000),
    observed: observedAt(105),
    ...wind(121, 128, 135, 144),
    temperature: number(153, 11, { per: 10, from: -60, most: 1200 }),
    humidity: number(164, 7, { most: 100 }),
    dewpoint: number(171, 10, { per: 10, from: -20, most: 700 }),
    pressure: number(181, 9, { per: 0.01, from: 80_000, most: 400 }),
    pressuretend: number(190, 2, { none: 3 }),
    visibility: number(192, 8, { per: 10 / mile, most: 250 }),
    waterlevel: number(200, 9, { per: 10, from: -10, most: 400 }),
    leveltrend: number(209, 2, { none: 3 }),
    ...current('', 211),
    ...current('2', 228),
    cdepth2: number(245, 5, { none: 31 }),
    ...current('3', 250),
    cdepth3: number(267, 5, { none: 31 }),
    ...waves(272),
    seastate: number(318, 4, { most: 12 }),
    watertemp: number(322, 10, { per: 10, from: -10, most: 600 }),
    preciptype: number(332, 3, { most: 6 }),
    salinity: number(335, 9, { per: 10, most: 500 }),
    ice: number(344, 2, { none: 3 }),
  },
}

/** Who gives the meaning, and which of theirs it is: `1-31`. */
export function applicationOf(bits: Bits): string {
  return `${bits.unsigned(40, 10)}-${bits.unsigned(50, 6)}`
}

/** By application. */
export const weather: Readonly<Record<string, Message>> = { '1-31': now, '1-11': once }

function wind(speed: number, gust: number, direction: number, gustDirection: number): Columns {
  return {
    wspeed: knots(speed, 7, { none: 127 }),
    wgust: knots(gust, 7, { none: 127 }),
    wdir: number(direction, 9, { most: 359 }),
    wgustdir: number(gustDirection, 9, { most: 359 }),
  }
}

function current(level: string, at: number): Columns {
  return {
    [`cspeed${level}`]: knots(at, 8, { per: 10, most: 251 }),
    [`cdir${level}`]: number(at + 8, 9, { most: 359 }),
  }
}

function waves(at: number): Columns {
  const one = (from: number) => [
    number(from, 8, { per: 10, most: 251 }),
    number(from + 8, 6, { most: 60 }),
    number(from + 14, 9, { most: 359 }),
  ]
  const [waveheight, waveperiod, wavedir] = one(at) as [Column, Column, Column]
  const [swellheight, swellperiod, swelldir] = one(at + 23) as [Column, Column, Column]
  return { waveheight, waveperiod, wavedir, swellheight, swellperiod, swelldir }
}

/** Day, hour and minute, UTC; month and year are nowhere said. */
function observedAt(at: number): Column {
  return (bits) => {
    const [day, hour, minute] = [
      bits.unsigned(at, 5),
      bits.unsigned(at + 5, 5),
      bits.unsigned(at + 10, 6),
    ]
    if (day < 1 || hour > 23 || minute > 59) return undefined
    const [dd, hh, mm] = [day, hour, minute].map((part) => String(part).padStart(2, '0'))
    return `${dd}T${hh}:${mm}Z`
  }
}
