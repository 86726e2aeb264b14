/** A note as one sentence for a person. */
import type { Hex } from '../wire/bytes.ts'
import type { Note } from './note.ts'

/** How a person reads an amount of that channel's money, or of that token's. */
export type Money = (amount: bigint, of: Hex) => string

export function sentenceOf(note: Note, money: Money): string {
  switch (note.event) {
    case 'ready':
      return `ready: operator ${note.operator}, gateway ${note.gateway}`
    case 'connected':
    case 'disconnected':
      return note.why === undefined ? note.event : `${note.event}: ${note.why}`
    case 'renewed':
      return 'the login at the broker was renewed'
    case 'refused':
      return `refused: ${note.why}`
    case 'clock astray': {
      const hours = Math.round(note.aheadMs / 3_600_000)
      return `this machine's clock is ${hours} h ahead of the chain: its time is not signed; see NTP`
    }
    case 'claiming': {
      const value = money(note.value, note.channels[0] ?? '0x')
      return `claiming ${value} from ${count(note.channels.length, 'channel')} in ${note.transaction}`
    }
    case 'replaced':
      return `offered again at up to ${note.maxFee} wei: ${note.transaction} for ${note.before}`
    case 'endpoint failing':
      return `${note.code} since ${dateText(note.sinceMs)}: ${note.why}`
    case 'endpoint well':
      return `${note.rpc} is well again: ${note.code} is over after ${note.seconds} s`
    case 'claimed': {
      const value = money(note.value, note.channels[0] ?? '0x')
      const from = count(note.channels.length, 'channel')
      return `claimed ${value} from ${from} in ${note.transaction}, ${note.gas} gas`
    }
    case 'settled':
      return `${money(note.amount, note.token)} went to ${note.receiver}`
    case 'watching':
      return `health and metrics at ${note.url}`
    case 'trouble':
      return `trouble with ${note.where}, will be tried again: ${note.why}`
    default:
      return `channel ${short(note.channel)}: ${ofChannel(note, money)}`
  }
}

/** What happened to one channel. */
function ofChannel(note: Extract<Note, { readonly channel: Hex }>, money: Money): string {
  const amount = (of: bigint) => money(of, note.channel)
  switch (note.event) {
    case 'ordered':
      return `${note.payer} orders from ${note.seller}, ${count(note.devices, 'device')}`
    case 'deposited':
      return `holds ${amount(note.balance)}`
    case 'granted': {
      const until = dateText(note.untilMs)
      return `granted ${note.device} up to ${amount(note.cap)} until ${until}`
    }
    case 'acked':
      return `acked period ${note.period}, ${amount(note.total)} promised`
    case 'withdrawing':
      return `its payer withdraws ${amount(note.amount)}`
    case 'short': {
      const owed = note.owed > 0n ? `, and owes ${amount(note.owed)} more than is left` : ''
      return `${amount(note.amount)} of its deposit is gone: withdrawn, or reorganised${owed}`
    }
    case 'unseen':
      return `gets no acks: the chain was not read for it since ${dateText(note.sinceMs)}`
    case 'lost':
      return `${amount(note.amount)} was promised, and withdrawn before it was claimed`
    case 'ended':
      return `gets no more grants and acks: ${note.why}`
  }
}

/** A buyer may order until after the last date there is. */
function dateText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'the end of all calendars' : date.toISOString()
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

function short(id: Hex): string {
  return `${id.slice(0, 10)}…`
}
