/** What happens while buying, in words: for the stderr of `wayside buy`, and for anyone's log. */
import { decimalText } from '../config/quantity.ts'
import type { Summary } from './summary.ts'
import type { BuyNote, RangeFound } from './tally.ts'

export type MoneyName = { readonly decimals: number; readonly name: string }

/** One line, no line end. Amounts are in the token's own unit where it is known. */
export function sentenceOf(note: BuyNote, money?: MoneyName): string {
  const amountOf = (amount: bigint) => spell(amount, money)
  switch (note.event) {
    case 'range':
      return rangeWords(note)
    case 'setup':
    case 'setup changed':
      return setupWords(note)
    case 'finding':
      if (note.finding === 'other terms') return otherTerms(note)
      return findingWords(note)
    case 'gap':
      return `epochs ${note.from} to ${note.to}${placeOf(note)} never came: passed over`
    case 'evicted':
      return `epochs ${note.from} to ${note.to}${placeOf(note)} are not stored any more`
    case 'unknown kind':
      return `header ${note.number}${placeOf(note)} is of a later version: passed over`
    case 'ordered':
      return `ordered from ${note.seller}, session ${note.session}`
    case 'refused':
      return `${note.seller} says no: ${note.why}`
    case 'promised':
      return `promised ${note.device} ${amountOf(note.amount)} in all`
    case 'waiting':
      return `${note.device} waits: the next promise is ${waits[note.why]}`
    case 'undelivered':
      return `${note.device} owes the keys of ${note.epochs} epochs: promising again`
    case 'absent':
      return `${note.device} owes ${note.epochs} epochs of an earlier run, and does not offer anything now`
    case 'paid again':
      return `${note.device} counts the promise as spent: ${note.epochs} epochs are bought again, this once`
    case 'deposited': {
      const how = note.approved === undefined ? '' : `, Permit2 allowed in ${note.approved}`
      return `deposited ${amountOf(note.amount)} in transaction ${note.tx}${how}`
    }
    case 'budget used up':
      return 'the budget is used up'
    case 'left aside': {
      const { device, streams, takes, pays } = note
      return `${streams.join(', ')} of ${device} is left aside: it takes ${takes}, and ${pays} is paid here`
    }
    case 'left out':
      return `${note.of} ${note.name} of ${note.device} is left out: a later version (${note.why})`
    case 'line down':
      return `no line to the broker (${note.why}): it is looked for until it is back`
    case 'line up':
      return 'the line to the broker is back'
    case 'line trouble':
      return note.why
    case 'clock astray':
      return `${note.code}: ${note.why}: ${note.cure}`
  }
}

function findingWords(note: Extract<BuyNote, { event: 'finding' }>): string {
  const why = note.why === undefined ? '' : ` (${note.why})`
  const last = note.isLast ? '; more of its kind are counted, and not told one by one' : ''
  return `finding: ${note.finding}${placeOf(note)}${why}${last}`
}

/** From when on who speaks: enough to see that a sensor was swapped, or newly calibrated. */
function setupWords(note: Extract<BuyNote, { event: 'setup' | 'setup changed' }>): string {
  const { setup, hash } = note
  const { make, model, serial, calibration } = setup?.sensor ?? {}
  const { id, version } = setup?.driver ?? {}
  const parts = [
    [make, model, serial].filter((one) => one !== undefined).join(' '),
    ...(calibration === undefined ? [] : [`calibrated ${calibration}`]),
    ...(id === undefined ? [] : [`driver ${id} ${version}`]),
    ...(setup === undefined ? ['its document is not at hand'] : [setup.product]),
  ]
  const said = parts.filter((one) => one !== '').join(', ')
  if (note.event === 'setup') return `setup${placeOf(note)}: ${said} (${hash.slice(0, 10)}…)`
  const what = note.members === undefined ? '' : `: other ${note.members.join(', ') || 'spelling'}`
  return `the setup changed${placeOf(note)}${what}; now ${said} (${hash.slice(0, 10)}…)`
}

function rangeWords(found: RangeFound): string {
  const { device, stream, from, to, fromMs, toMs, kept } = found
  const of = `${device}/${stream}`
  if (to !== undefined && from > to) {
    const has = kept === undefined ? 'nothing yet' : `epochs ${kept.from} to ${kept.to}`
    return `nothing of ${of} lies in that range: the device has ${has}`
  }
  const times = [fromMs, toMs].map((ms) => (ms === undefined ? '…' : new Date(ms).toISOString()))
  const when = fromMs === undefined && toMs === undefined ? '' : ` (${times.join(' to ')})`
  return `the range is epochs ${from} to ${to ?? 'what comes'} of ${of}${when}`
}

function otherTerms({ device, stream, number }: Extract<BuyNote, { event: 'finding' }>): string {
  return (
    `${device}/${stream} comes under other terms from epoch ${number} on, which this order does not name:` +
    ' not bought; look at its offer, and order again by starting anew'
  )
}

const waits = {
  'no grant': 'not granted yet',
  'over the cap': 'over what its gateway granted it',
  'over the budget': 'over the budget',
  'books incomplete': 'not made before every device said what it holds',
} as const

/** The state of things in one line: `12 epochs (12 opened), 340 readings, 0.0034 USDC of 1.5`. */
export function summaryLine(summary: Summary, name?: MoneyName): string {
  const { counts, findings, money } = summary
  const { done, of } = progressOf(summary)
  const found = Object.values(findings).reduce((sum, count) => sum + count, 0)
  const paid =
    money === undefined
      ? 'own data'
      : `promised ${spell(money.promised, name ?? money)} of ${spell(money.budget, name ?? money)}`
  const missing = counts.gap + counts.evicted
  return [
    `${counts.seen} epochs seen, ${counts.bought} bought, ${counts.opened} opened and verified`,
    ...(of === 0 ? [] : [`${done} of the ${of} in range done`]),
    `${counts.readings} readings`,
    paid,
    ...(missing === 0 ? [] : [`${missing} epochs missing`]),
    ...(found === 0 ? [] : [`${found} findings`]),
  ].join(' · ')
}

/** How many epochs of ranges that have an end are accounted for. */
export function progressOf({ ranges }: Pick<Summary, 'ranges'>) {
  let [done, of] = [0, 0]
  for (const { from, to = -1, next = from } of ranges) {
    of += Math.max(0, to + 1 - from)
    done += Math.max(0, Math.min(next, to + 1) - from)
  }
  return { done, of }
}

function placeOf({
  device,
  stream,
  number,
}: {
  device?: string
  stream?: string
  number?: number
}) {
  if (device === undefined) return ''
  const what = stream === undefined ? device : `${device}/${stream}`
  return number === undefined ? ` of ${what}` : ` at ${number} of ${what}`
}

function spell(amount: bigint, money?: { readonly decimals: number; readonly name?: string }) {
  if (money === undefined) return `${amount}`
  const text = decimalText(amount, money.decimals)
  return money.name === undefined ? text : `${text} ${money.name}`
}
