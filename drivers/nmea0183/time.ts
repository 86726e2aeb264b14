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
  const days = [-1, 0, 1].map((day) => told(dayOf(lastMs + day * dayMs), time))
  return days.reduce((best, next) =>
    Math.abs(next.ms - lastMs) < Math.abs(best.ms - lastMs) ? next : best,
  )
}

const dayMs = 86_400_000

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function told(day: string, time: string): Told {
  const [h, m, s] = time.slice(0, -1).split(':').map(Number)
  const inDayMs = Math.round(((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000)
  return { text: `${day}T${time}`, ms: Date.parse(`${day}T00:00:00Z`) + inDayMs }
}
