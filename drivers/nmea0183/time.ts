/** Puts a date to a time of day. */

export type Told = { readonly text: string; readonly ms: number }

/**
 * The instant of `time` (`hh:mm:ss.sssZ`): on `date` when the sentence has one, else on the day that puts
 * it nearest to the last instant told, so that the sentences around midnight fall on the right side.
 * Undefined when no date was ever told.
 */
export function dated(time: string, date?: string, lastMs?: number): Told | undefined {
  if (date !== undefined) return told(date, time)
  if (lastMs === undefined) return undefined
  const inDayMs = inDay(time)
  let midnightMs = (Math.floor(lastMs / dayMs) - 1) * dayMs
  for (const nextMs of [midnightMs + dayMs, midnightMs + 2 * dayMs]) {
    const nearer = Math.abs(nextMs + inDayMs - lastMs) < Math.abs(midnightMs + inDayMs - lastMs)
    if (nearer) midnightMs = nextMs
  }
  return { text: `${dayOf(midnightMs)}T${time}`, ms: midnightMs + inDayMs }
}

const dayMs = 86_400_000

function dayOf(ms: number): string {
  const day = new Date(ms)
  const year = String(day.getUTCFullYear()).padStart(4, '0')
  return `${year}-${padded(day.getUTCMonth() + 1)}-${padded(day.getUTCDate())}`
}

function padded(number: number): string {
  return number < 10 ? `0${number}` : `${number}`
}

function told(day: string, time: string): Told {
  const year = Number(day.slice(0, 4))
  // The years before 100 are of the last century to Date.UTC.
  const midnightMs =
    year < 100 ? Date.parse(`${day}T00:00:00Z`) : Date.UTC(year, two(day, 5) - 1, two(day, 8))
  return { text: `${day}T${time}`, ms: midnightMs + inDay(time) }
}

/** Milliseconds since midnight. */
function inDay(time: string): number {
  const seconds = time.length === 9 ? two(time, 6) : Number(time.slice(6, -1))
  return Math.round(((two(time, 0) * 60 + two(time, 3)) * 60 + seconds) * 1000)
}

/** The number that two digits of this text say. */
function two(text: string, at: number): number {
  return 10 * text.charCodeAt(at) + text.charCodeAt(at + 1) - 11 * 0x30
}
