/**
 * Messages that come in several sentences. Their parts may come in any order and among those of others; what
 * tells them apart is the sequence number (0 to 9, which soon comes again), the channel, and the group of a
 * tag block where there is one. So a message whose parts are too far apart is given up. Some receivers name
 * the channel, or the group, in the first part only: such a part is of the one message that it can be of.
 */

export type Part = {
  /** Talker, how many parts, sequence number. */
  readonly key: string
  /** Empty where the sentence has none; so is the group. */
  readonly channel: string
  readonly group: string
  readonly total: number
  /** From 1 on. */
  readonly number: number
  readonly payload: string
  readonly fill: number
  readonly time?: string
  readonly unchecked?: true
}

export type Whole = Pick<Part, 'channel' | 'payload' | 'fill' | 'time' | 'unchecked'>

export type Open = {
  /** Oldest first. */
  readonly groups: readonly Group[]
  /** Sentences heard so far. */
  readonly heard: number
}
type Group = Pick<Part, 'key' | 'channel' | 'group'> & {
  readonly parts: readonly Part[]
  readonly lastHeard: number
}

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
  const mine = groupOf(part, fresh)
  const goesOn = mine !== undefined && !mine.parts.some(({ number }) => number === part.number)
  const parts = goesOn ? [...mine.parts, part] : [part]
  const others = fresh.filter((group) => group !== mine)
  const room = others.slice(-(groupsMax - 1))
  const gone = before.groups.length - fresh.length + others.length - room.length
  const lost = gone > 0 || (mine !== undefined && !goesOn)
  if (parts.length === part.total) {
    return { open: { groups: room, heard }, whole: joined(parts), lost }
  }
  const { key, channel, group } = part
  const grown = {
    key,
    channel: mine?.channel || channel,
    group: mine?.group || group,
    parts,
    lastHeard: heard,
  }
  return { open: { groups: [...room, grown], heard }, lost }
}

/** The one that is named alike, else the only one that it can be of. */
function groupOf(part: Part, groups: readonly Group[]): Group | undefined {
  const alike = groups.filter(({ key }) => key === part.key)
  const same = ({ channel, group }: Group) => channel === part.channel && group === part.group
  const may = alike.filter(
    ({ channel, group }) => mayBe(channel, part.channel) && mayBe(group, part.group),
  )
  return alike.find(same) ?? (may.length === 1 ? may[0] : undefined)
}

function mayBe(one: string, other: string): boolean {
  return one === other || one === '' || other === ''
}

function joined(parts: readonly Part[]): Whole {
  const inOrder = parts.toSorted((a, b) => a.number - b.number)
  const time = inOrder.find((part) => part.time !== undefined)?.time
  return {
    channel: inOrder.find(({ channel }) => channel !== '')?.channel ?? '',
    payload: inOrder.map(({ payload }) => payload).join(''),
    fill: inOrder.at(-1)?.fill ?? 0,
    ...(time !== undefined && { time }),
    ...(parts.some(({ unchecked }) => unchecked) && { unchecked: true }),
  }
}
