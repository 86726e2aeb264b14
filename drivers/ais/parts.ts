/**
 * Messages that come in several sentences. Their parts may come in any order and among those of others; what
 * tells them apart is the sequence number (0 to 9, which soon comes again), the channel, and the group of a
 * tag block where there is one. So a message whose parts are too far apart is given up.
 */

export type Part = {
  readonly key: string
  readonly total: number
  /** From 1 on. */
  readonly number: number
  readonly payload: string
  readonly fill: number
  readonly time?: string
  readonly unchecked?: true
}

export type Whole = Pick<Part, 'payload' | 'fill' | 'time' | 'unchecked'>

export type Open = {
  /** Oldest first. */
  readonly groups: readonly Group[]
  /** Sentences heard so far. */
  readonly heard: number
}
type Group = { readonly key: string; readonly parts: readonly Part[]; readonly lastHeard: number }

/** Parts further apart than so many sentences are of two messages; the numbers come round sooner than that. */
const apartMax = 30

/** Open at once, one for each sequence number and channel of two stations. */
const groupsMax = 40

/** Takes one part: the message, once it is whole, and whether another was given up for want of its parts. */
export function takePart(
  before: Open,
  part: Part,
): { readonly open: Open; readonly whole?: Whole; readonly lost: boolean } {
  const heard = before.heard + 1
  const fresh = before.groups.filter(({ lastHeard }) => heard - lastHeard <= apartMax)
  const mine = fresh.find(({ key }) => key === part.key)
  const goesOn = mine !== undefined && !mine.parts.some(({ number }) => number === part.number)
  const parts = goesOn ? [...mine.parts, part] : [part]
  const others = fresh.filter((group) => group !== mine)
  const room = others.slice(-(groupsMax - 1))
  const gone = before.groups.length - fresh.length + others.length - room.length
  const lost = gone > 0 || (mine !== undefined && !goesOn)
  if (parts.length === part.total) {
    return { open: { groups: room, heard }, whole: joined(parts), lost }
  }
  return { open: { groups: [...room, { key: part.key, parts, lastHeard: heard }], heard }, lost }
}

function joined(parts: readonly Part[]): Whole {
  const inOrder = parts.toSorted((a, b) => a.number - b.number)
  const time = inOrder.find((part) => part.time !== undefined)?.time
  return {
    payload: inOrder.map(({ payload }) => payload).join(''),
    fill: inOrder.at(-1)?.fill ?? 0,
    ...(time !== undefined && { time }),
    ...(parts.some(({ unchecked }) => unchecked) && { unchecked: true }),
  }
}
