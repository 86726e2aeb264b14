/**
 * Every refusal that one peer can send another: a stable code, the sentence, and what would help.
 *
 * A refusal is a value, not an error: it answers a well-formed request that the rules forbid. Codes
 * are never reused; a retired one stays in the table with its sentence. `{name}` is filled from the
 * facts. A peer may send a code that this version does not know: it is shown as it came.
 */
import { list, record, row, type Shape, text } from './cborshape.ts'

export const refusals = {
  // Orders
  'order-session': {
    says: 'the order names another session key than the one that sent it',
    cure: 'sign an order for this session',
  },
  'order-seller': {
    says: 'the order is for {seller}, which is neither this device nor its operator',
    cure: 'send it to the device or fleet that it names',
  },
  'order-signature': {
    says: 'the order is signed by {signer}, not by {expected}',
    cure: "sign it with the channel's payerAuthorizer key",
  },
  'order-ended': {
    says: 'the order ended at {untilMs}, it is {timeMs}',
    cure: 'sign a new order with a later end',
  },
  'order-older': {
    says: 'the order has number {number}, a newer one has {newest}',
    cure: 'number it above the newest',
  },
  'order-terms': {
    says: 'no stream here has terms that the order names',
    cure: 'read the offer again and name the terms that it has now',
  },
  'order-ceiling': {
    says: 'the price of {stream} is over the ceiling of the order',
    cure: 'raise the ceiling or leave the stream',
  },
  'order-channel': {
    says: 'an order at a price carries the config of its channel, one for own data carries none',
    cure: 'send config and rail with a channel id, and neither without',
  },
  'time-unknown': {
    says: 'this device has never heard the time from its gateway and does not sell yet',
    cure: 'wait for the gateway, and try again',
  },
  // Channels
  'channel-id': {
    says: 'the channel id is not that of the config',
    cure: 'compute it as the EIP-712 hash of the config in the domain of the settlement',
  },
  'channel-authorizer-zero': {
    says: 'the payerAuthorizer is zero',
    cure: 'open a channel with a payerAuthorizer key, which no delegation of the payer can void',
  },
  'channel-token': {
    says: 'the offer does not take token {token} on chain {chainId} at {settlement}',
    cure: 'open a channel in a token that the offer lists',
  },
  'channel-delay': {
    says: 'the withdraw delay is {withdrawDelay} s, below {min} s',
    cure: 'open a channel with a longer delay',
  },
  'channel-receiver': {
    says: 'receiver or receiverAuthorizer is not ours',
    cure: 'take both from the offer',
  },
  'channel-unknown': {
    says: 'the gateway has not seen that channel with enough confirmations',
    cure: 'wait for the deposit to be confirmed, and try again',
  },
  'channel-withdrawing': {
    says: 'a withdrawal from the channel is pending or done',
    cure: 'open another channel',
  },
  // Grants
  'grant-missing': {
    says: 'the gateway has granted this device nothing from the channel yet',
    cure: 'send the order to the gateway too, and try again',
  },
  'grant-taken-back': {
    says: 'the gateway has taken back what it had granted this device from the channel',
    cure: 'ask the gateway why; where a withdrawal is pending, open another channel',
  },
  'grant-ended': {
    says: 'the grant ended at {untilMs}, it is {timeMs}',
    cure: 'ask the operator for a new grant',
  },
  // Promises
  'promise-channel': {
    says: 'voucher or split is of another channel than the order',
    cure: "promise from the order's channel",
  },
  'promise-total': {
    says: 'the split divides {total}, the voucher promises {voucher}',
    cure: 'sign both for one total',
  },
  'promise-leaf': {
    says: "the leaf is not at the place that the grant gives this device, or not this device's",
    cure: 'use the index of the grant',
  },
  'promise-path': {
    says: 'the path does not prove the amount in the payment tree',
    cure: 'send the path of the tree whose root was signed',
  },
  'promise-signature': {
    says: 'voucher or split is not signed by {expected}',
    cure: "sign both with the channel's payerAuthorizer key",
  },
  'promise-two-trees': {
    says: 'period {period} was already split otherwise',
    cure: 'sign one split a period, and number the next higher',
  },
  'promise-lower': {
    says: 'a newer promise of {amount} is below the {promised} already promised',
    cure: 'promise running totals, which only grow',
  },
  'promise-over-cap': {
    says: 'promised total {promised} is over the cap {cap}',
    cure: 'ask the operator for a larger grant',
  },
  'promise-used-up': {
    says: 'delivering {price} more would pass the promise of {promised}, {delivered} are delivered',
    cure: 'promise more',
  },
  'exposure-reached': {
    says: '{unacknowledged} would be unacknowledged, the limit is {exposureMax}',
    cure: 'send voucher, split and leaves to the gateway, which then acknowledges them',
  },
  'ack-stale': {
    says: 'the last acknowledgement is {ageMs} ms old, the limit is {maxMs}',
    cure: 'the device needs to hear from its gateway',
  },
  // Books, to the gateway
  'books-root': {
    says: 'the leaves do not make the root that was signed for period {period}',
    cure: 'send every leaf that changed since period {known}',
  },
  'books-over-cap': {
    says: 'the leaf at index {index} is {amount}, its cap is {cap}',
    cure: 'keep every leaf within its grant',
  },
  'books-lower': {
    says: 'the leaf at index {index} went down from {known} to {amount}',
    cure: 'leaves are running totals, which only grow',
  },
  'refund-never': {
    says: 'this gateway signs no refunds, whatever its books say',
    cure: "take what is left by the channel's own withdrawal: initiateWithdraw, then finalizeWithdraw after the delay",
  },
  // Keys and stored messages
  'keys-unconfirmed': {
    says: 'the keys hold {runs} runs of epochs, the most is {max}',
    cure: 'confirm the version that you hold, then buy more',
  },
  'range-unknown': {
    says: 'stream {stream} has no such generation or epochs',
    cure: "read the device's index again",
  },
  'fetch-allowance': {
    says: '{bytes} bytes are fetched, the allowance is {max}',
    cure: 'buy more, the allowance grows with it',
  },
  // Sessions
  'session-unknown': {
    says: 'this session is not open here',
    cure: 'send the order again',
  },
  'session-ended': {
    says: 'the session has ended',
    cure: 'sign a new order',
  },
  'request-malformed': {
    says: 'the request is not as the wire has it: {why}',
    cure: 'compare versions of buyer and seller',
  },
  busy: {
    says: 'too many requests at once',
    cure: 'wait a while, and try again',
  },
  stopped: {
    says: 'the seller has stopped selling: {why}',
    cure: 'its operator must act',
  },
} as const satisfies Readonly<Record<string, { readonly says: string; readonly cure: string }>>

export type RefusalCode = keyof typeof refusals

export type Refusal = {
  /** A RefusalCode, or one of a later version. */
  readonly code: RefusalCode | (string & {})
  readonly facts: Readonly<Record<string, string>>
}

export type RefusalFacts = Readonly<Record<string, string | number | bigint>>

export function refusal(code: RefusalCode, facts: RefusalFacts = {}): Refusal {
  const told = Object.entries(facts).map(([name, fact]) => [name, String(fact).slice(0, factMax)])
  return { code, facts: Object.fromEntries(told) }
}

/** The rule's no, as its callers return it. */
export function refuse(code: RefusalCode, facts: RefusalFacts = {}) {
  return { ok: false, refusal: refusal(code, facts) } as const
}

/** "promised total 120 is over the cap 100: ask the operator for a larger grant" */
export function sentence({ code, facts }: Refusal): string {
  if (!Object.hasOwn(refusals, code)) return `refused: ${code}`
  const { says, cure } = refusals[code as RefusalCode]
  return `${says}: ${cure}`.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(facts, name) ? (facts[name] ?? whole) : whole,
  )
}

const factMax = 200
const factsMax = 8

type Fact = { readonly name: string; readonly fact: string }
const factShape = row<Fact>({
  name: text((name) => /^[a-zA-Z]{1,32}$/.test(name)),
  // Printable ASCII only: a refusal ends up in logs and terminals.
  fact: text((fact) => fact.length <= factMax && /^[ -~]*$/.test(fact)),
})
const wireShape = record<{ readonly code: string; readonly facts: readonly Fact[] }>({
  code: text((code) => /^[a-z][a-z-]{0,39}$/.test(code)),
  facts: list(factShape, factsMax),
})

export const refusalShape: Shape<Refusal> = {
  write: ({ code, facts }) =>
    wireShape.write({
      code,
      facts: Object.entries(facts).map(([name, fact]) => ({
        name,
        fact: fact.replace(/[^ -~]/g, '?'),
      })),
    }),
  read(value, what) {
    const { code, facts } = wireShape.read(value, what)
    return { code, facts: Object.fromEntries(facts.map(({ name, fact }) => [name, fact])) }
  },
}
