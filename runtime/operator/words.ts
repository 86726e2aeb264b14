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
    case 'ordered':
      return `${note.payer} orders from ${note.seller} on channel ${short(note.channel)}, ${note.devices} device${note.devices === 1 ? '' : 's'}`
    case 'refused':
      return `refused: ${note.why}`
    case 'deposited':
      return `channel ${short(note.channel)} holds ${money(note.balance, note.channel)}`
    case 'granted':
      return `granted ${note.device} up to ${money(note.cap, note.channel)} of channel ${short(note.channel)}, until ${new Date(note.untilMs).toISOString()}`
    case 'acked':
      return `acked period ${note.period} of channel ${short(note.channel)}: ${money(note.total, note.channel)} promised`
    case 'withdrawing':
      return `the payer of channel ${short(note.channel)} withdraws ${money(note.amount, note.channel)}`
    case 'ended':
      return `channel ${short(note.channel)} gets no more grants and acks: ${note.why}`
    case 'claimed':
      return `claimed ${money(note.value, note.channels[0] ?? '0x')} from ${note.channels.length} channel${note.channels.length === 1 ? '' : 's'} in ${note.transaction}, ${note.gas} gas`
    case 'settled':
      return `${money(note.amount, note.token)} went to ${note.receiver}`
    case 'trouble':
      return `trouble with ${note.where}, will be tried again: ${note.why}`
  }
}

function short(id: Hex): string {
  return `${id.slice(0, 10)}…`
}
