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
  return `${year}-${two(day.getUTCMonth() + 1)}-${two(day.getUTCDate())}`
}

function two(number: number): string {
  return number < 10 ? `0${number}` : `${number}`
}

function told(day: string, time: string): Told {
  return { text: `${day}T${time}`, ms: Date.parse(`${day}T00:00:00Z`) + inDay(time) }
}

/** Milliseconds since midnight. */
function inDay(time: string): number {
  const [h, m, s] = [time.slice(0, 2), time.slice(3, 5), time.slice(6, -1)]
  return Math.round(((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000)
}
