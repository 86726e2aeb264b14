/** The topics of a seller (a device, or a gateway under its operator's address). All begin `wayside/1/`. */
import { type Address, parseAddress } from './address.ts'
import { isStreamName } from './reading.ts'

/** Session ids are 32 hex digits in topics. */
export function topics(seller: Address) {
  const base = `wayside/1/${seller}`
  return {
    status: `${base}/status`,
    offer: `${base}/offer`,
    index: `${base}/index`,
    ask: `${base}/ask`,
    grant: `${base}/grant`,
    ack: `${base}/ack`,
    sold: `${base}/sold`,
    enrolment: `${base}/enrolment`,
    setup: (stream: string) => `${base}/s/${stream}/setup`,
    epoch: (stream: string) => `${base}/s/${stream}/epoch`,
    open: (stream: string) => `${base}/s/${stream}/open`,
    keys: (session: string) => `${base}/buyer/${session}/keys`,
    answer: (session: string) => `${base}/buyer/${session}/answer`,
  }
}

/** Filters for whoever follows many sellers. */
export const everyOffer = 'wayside/1/+/offer'
export const everyTopic = 'wayside/1/#'

export type ParsedTopic = { readonly seller: Address } & (
  | { readonly kind: (typeof plain)[number] }
  | { readonly kind: 'setup' | 'epoch' | 'open'; readonly stream: string }
  | { readonly kind: 'keys' | 'answer'; readonly session: string }
)

/** What a topic is, or undefined for any that is not ours. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  const [product, version, first = '', ...rest] = topic.split('/')
  const seller = parseAddress(first)
  if (product !== 'wayside' || version !== '1' || seller === undefined || seller !== first) {
    return undefined
  }
  const [part, name = '', last, ...more] = rest
  if (part === undefined || more.length > 0) return undefined
  const single = plain.find((kind) => kind === part)
  if (single !== undefined) return rest.length === 1 ? { seller, kind: single } : undefined
  if (part === 's' && (last === 'setup' || last === 'epoch' || last === 'open')) {
    return isStreamName(name) ? { seller, kind: last, stream: name } : undefined
  }
  if (part === 'buyer' && (last === 'keys' || last === 'answer')) {
    return /^[0-9a-f]{32}$/.test(name) ? { seller, kind: last, session: name } : undefined
  }
  return undefined
}

const plain = ['status', 'offer', 'index', 'ask', 'grant', 'ack', 'sold', 'enrolment'] as const
