/**
 * Times of P1: `YYMMDDhhmmss` and a letter, on the meter's own clock: W while it keeps winter time, S in
 * summer. Without the letter (DSMR 2 and 3) the rule of the European Union says which; in the hour that comes
 * twice, winter.
 */

/** Hours that the meter's clock is ahead of UTC in winter; `utc` knows no summer. */
export const zones = { wet: 0, cet: 1, eet: 2, utc: 0 } as const
export type Zone = keyof typeof zones

/** The instant in UTC, as ISO 8601; undefined for what is no time, or never: 1970, as a meter never heard. */
export function instant(text: string, zone: Zone): string | undefined {
  const [, year, month, day, hour, minute, second, letter] = form.exec(text.trim()) ?? []
  const parts = [year, month, day, hour, minute, second].map(Number)
  const [y = Number.NaN, m = 0, d = 0, h = 0, min = 0, s = 0] = parts
  if (Number.isNaN(y) || m < 1 || m > 12 || h > 23 || min > 59 || s > 59) return undefined
  const local = Date.UTC(2000 + y, m - 1, d, h, min, s)
  if (new Date(local).getUTCDate() !== d || (y === 70 && m === 1 && d === 1)) return undefined
  const winter = local - zones[zone] * hourMs
  const summer =
    zone !== 'utc' && (letter === undefined ? isSummer(winter - hourMs) : letter === 'S')
  return `${new Date(summer ? winter - hourMs : winter).toISOString().slice(0, 19)}Z`
}

/** Whether this can only be a time, and no number: it ends with the letter. */
export function isTime(text: string): boolean {
  return /^\d{12}[SW]$/.test(text)
}

const form = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW])?$/
const hourMs = 3_600_000

/** Directive 2000/84/EC: from the last Sunday of March to that of October, at 01:00 UTC. */
function isSummer(utcMs: number): boolean {
  const year = new Date(utcMs).getUTCFullYear()
  return utcMs >= lastSunday(year, 2) && utcMs < lastSunday(year, 9) - hourMs
}

function lastSunday(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month, 31, 1))
  return last.getTime() - last.getUTCDay() * 24 * hourMs
}
