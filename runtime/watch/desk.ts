/**
 * What the operator's desk tells of itself: its counters, and its health document. It decides nothing: all
 * of it follows from the notes of gateway, settler, chain and broker, and from how they stand.
 */
import { parseTopic } from '../wire/topic.ts'
import { openCounts } from './counts.ts'
import { because, certificateProblem, type LineHealth, printable } from './health.ts'

/** A note, as far as it is looked at; whoever makes them knows more. */
type Note = { readonly event: string }

export type DeskStanding = {
  readonly channels: Readonly<Record<'live' | 'withdrawing' | 'short' | 'unseen' | 'ended', number>>
  readonly claims: { readonly onTheWay: number; readonly oldestS: number }
  readonly unclaimed: Readonly<Record<string, bigint>>
  readonly unclaimedOldestS: number
}

export type DeskParts = DeskStanding & {
  readonly operator: string
  readonly gateway: string
  readonly version: string
  readonly broker: LineHealth
  /** The wall clock is so far ahead of the chain that it is not signed. */
  readonly clockAstray: boolean
}

export type DeskWatch = ReturnType<typeof openDeskWatch>

const totals = {
  orders: ['Orders of a channel that was funded and granted.'],
  refusals: ['Orders and requests refused, by code.', 'code'],
  claims: ['Claims: sent, replaced by a dearer one, claimed, failed on chain.', 'result'],
  claim_gas: ['Gas that claims took.'],
  gas_refusals: ['Times that a claim waited because gas was over the limit.'],
  settled: ["What the receiver got, in the token's smallest unit.", 'token'],
  lost_channels: ['Channels that were emptied before all that they promised was claimed.'],
  endpoint_troubles: ['Times that an endpoint of the chain was told to fail.', 'rpc', 'code'],
  troubles: ['What failed and is tried again, by where.', 'where'],
} as const

const levels = {
  channels: ['Channels, by how they stand.', 'state'],
  claims_waiting: ['Claims that are signed and not yet deep in the chain.'],
  claims_oldest_seconds: ['Age of the oldest of them.'],
  unclaimed: ["Promised and not claimed yet, in the token's smallest unit.", 'token'],
  unclaimed_oldest_seconds: ['How long the oldest of that is known to this process.'],
  endpoint_well: ['1 while nothing is the matter with the endpoint of the chain.', 'rpc'],
  broker_connected: ['1 while the line to the broker stands.'],
  broker_takeovers: ['Times that another client with our id threw us out.'],
  broker_certificate_days: ['Days until our certificate at the broker ends; NaN without one.'],
} as const

/** `rpcs`: the names of all endpoints, as notes name them. */
export function openDeskWatch(rpcs: readonly string[]) {
  const counts = openCounts(totals, levels)
  const failing = new Map<string, Map<string, { readonly why: string; readonly sinceMs: number }>>()
  let claiming: { readonly code?: string; readonly why: string } | undefined
  const view = (parts: DeskParts) => healthOf(parts, endpoints(), claiming)

  function endpoints() {
    return rpcs.map((rpc) => {
      const troubles = [...(failing.get(rpc) ?? [])].map(([code, more]) => ({ code, ...more }))
      return { rpc, well: troubles.length === 0, troubles }
    })
  }

  /** Claims of the chain and of money; any step that one takes says that nothing holds it up. */
  function claim(result: string): void {
    counts.add('claims', [result])
    if (result !== 'failed') claiming = undefined
  }

  const takes: Readonly<Record<string, (note: Facts) => void>> = {
    ordered: () => counts.add('orders'),
    refused: ({ code }) => counts.add('refusals', [String(code)]),
    claiming: () => claim('sent'),
    replaced: () => claim('replaced'),
    claimed({ gas }) {
      claim('claimed')
      counts.add('claim_gas', [], Number(gas))
    },
    settled: ({ token, amount }) => counts.add('settled', [String(token)], Number(amount)),
    lost: () => counts.add('lost_channels'),
    trouble({ where, why, code }) {
      // A topic may name a session, and every buyer has another one.
      counts.add('troubles', [parseTopic(String(where))?.kind ?? String(where)])
      if (code === 'GAS_DEAR') counts.add('gas_refusals')
      if (code === 'CLAIM_FAILED') claim('failed')
      if (where !== 'claim' && where !== 'settlement') return
      claiming = { why: String(why), ...(code === undefined ? {} : { code: String(code) }) }
    },
    'endpoint failing'({ rpc, code, why, sinceMs }) {
      const [name, of] = [String(rpc), String(code)]
      counts.add('endpoint_troubles', [name, of])
      const known = failing.get(name) ?? new Map()
      failing.set(name, known.set(of, { why: String(why), sinceMs: Number(sinceMs) }))
    },
    'endpoint well'({ rpc, code }) {
      failing.get(String(rpc))?.delete(String(code))
    },
  }

  return {
    /** Takes a note of the desk. */
    told: (note: Note): void => takes[note.event]?.(note as Facts),
    /** How `parts` are read, whenever somebody looks. */
    views(read: () => DeskParts) {
      counts.levels(async () => levelsOf(read(), endpoints()))
      return { health: async () => view(read()), metrics: counts.text }
    },
  }
}

type Facts = Readonly<Record<string, unknown>>
type Endpoint = {
  readonly rpc: string
  readonly well: boolean
  readonly troubles: readonly { readonly code: string; readonly why: string }[]
}

function levelsOf(parts: DeskParts, endpoints: readonly Endpoint[]) {
  const { channels, claims, unclaimed, unclaimedOldestS, broker } = parts
  return {
    channels,
    claims_waiting: claims.onTheWay,
    claims_oldest_seconds: claims.oldestS,
    unclaimed: Object.fromEntries(Object.entries(unclaimed).map(([of, sum]) => [of, Number(sum)])),
    unclaimed_oldest_seconds: unclaimedOldestS,
    endpoint_well: Object.fromEntries(endpoints.map(({ rpc, well }) => [rpc, well ? 1 : 0])),
    broker_connected: broker.connected ? 1 : 0,
    broker_takeovers: broker.takeovers,
    broker_certificate_days: broker.certificateDays ?? Number.NaN,
  }
}

function healthOf(
  parts: DeskParts,
  endpoints: readonly Endpoint[],
  claiming: { readonly why: string } | undefined,
) {
  const problems = [...lineProblems(parts.broker)]
  for (const { troubles } of endpoints) problems.push(...troubles.map(({ why }) => why))
  if (claiming !== undefined) problems.push(`claims wait: ${claiming.why}`)
  const { withdrawing, unseen, short } = parts.channels
  const many = (count: number, what: string) => {
    if (count > 0) problems.push(`${count} ${count === 1 ? 'channel' : 'channels'} ${what}`)
  }
  many(withdrawing, 'whose payer withdraws: what is promised is claimed')
  many(short, 'with less in the contract than there was: reorganised, or withdrawn unseen')
  many(unseen, 'that the chain was not read for: no grants and acks until it is')
  if (parts.clockAstray) problems.push("this machine's clock is ahead of the chain: see NTP")
  const unclaimed = printable(parts.unclaimed)
  const trouble = claiming === undefined ? {} : { claiming }
  return { ok: problems.length === 0, problems, ...parts, unclaimed, endpoints, ...trouble }
}

function lineProblems({ url, connected, down, troubles, certificateDays }: LineHealth): string[] {
  const certificate = certificateProblem(certificateDays)
  return [
    ...(connected
      ? []
      : [`no line to ${url}${because(down)}: devices sell on, each up to its exposure`]),
    ...troubles.map(({ message, cure }) => `${message}: ${cure}`),
    ...(certificate === undefined ? [] : [certificate]),
  ]
}
