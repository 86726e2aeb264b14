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
  const sinceMs = inDayMs(time)
  let midnightMs = (Math.floor(lastMs / dayMs) - 1) * dayMs
  for (const nextMs of [midnightMs + dayMs, midnightMs + 2 * dayMs]) {
    const nearer = Math.abs(nextMs + sinceMs - lastMs) < Math.abs(midnightMs + sinceMs - lastMs)
    if (nearer) midnightMs = nextMs
  }
  return { text: `${dayOf(midnightMs)}T${time}`, ms: midnightMs + sinceMs }
}

const dayMs = 86_400_000

/** The work, done once for what is asked several times in a row. */
export function rememberingLast<Asked, Answer>(
  work: (asked: Asked) => Answer,
): (asked: Asked) => Answer {
  let last: { readonly asked: Asked; readonly answer: Answer } | undefined
  return (asked) => {
    if (last === undefined || last.asked !== asked) last = { asked, answer: work(asked) }
    return last.answer
  }
}

const dayOf = rememberingLast((ms: number) => {
  const day = new Date(ms)
  const year = String(day.getUTCFullYear()).padStart(4, '0')
  return `${year}-${padded(day.getUTCMonth() + 1)}-${padded(day.getUTCDate())}`
})

function padded(number: number): string {
  return number < 10 ? `0${number}` : `${number}`
}

function told(day: string, time: string): Told {
  return { text: `${day}T${time}`, ms: midnightMsOf(day) + inDayMs(time) }
}

const midnightMsOf = rememberingLast((day: string) => Date.parse(`${day}T00:00:00Z`))

const inDayMs = rememberingLast((time: string) => {
  const seconds = Number(time.slice(6, -1))
  return Math.round(((two(time, 0) * 60 + two(time, 3)) * 60 + seconds) * 1000)
})

/** The number that two digits of this text say. */
function two(text: string, at: number): number {
  return 10 * text.charCodeAt(at) + text.charCodeAt(at + 1) - 11 * 0x30
}
