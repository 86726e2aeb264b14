/**
 * What MQTT 5 lets us say beside a payload: its media type, and when it is of no more use. Only courtesy to
 * brokers and to tools of others: no reader of ours may depend on it, since 3.1.1 has none of it.
 * docs/wire.md has the same table.
 */
import { type ParsedTopic, parseTopic } from '../wire/topic.ts'

export type Properties = {
  readonly contentType?: string
  /** True where the payload is UTF-8. */
  readonly payloadFormatIndicator?: boolean
  /** Seconds after which a broker may drop what it could not deliver. */
  readonly messageExpiryInterval?: number
}

type Kind = ParsedTopic['kind']

const json = { contentType: 'application/json', payloadFormatIndicator: true } as const
const cbor = { contentType: 'application/cbor' } as const
/** Fixed layouts and sealed messages: nothing that a tool of others could take apart. */
const bytes = { contentType: 'application/octet-stream' } as const

/** Said again until it is answered, every 30 s at most: a queue of older ones would only be refused. */
const askS = 600
/** Who waits for it has asked again by then. */
const answerS = 120

export const propertiesByKind: Readonly<Record<Kind, Properties>> = {
  status: json,
  offer: json,
  index: json,
  setup: json,
  open: { contentType: 'application/senml+json', payloadFormatIndicator: true },
  epoch: bytes,
  enrolment: bytes,
  grant: cbor,
  ack: cbor,
  sold: bytes,
  keys: bytes,
  ask: { ...bytes, messageExpiryInterval: askS },
  answer: { ...bytes, messageExpiryInterval: answerS },
}

/** The properties of a message; none for a topic that is not ours, or where a payload takes back another. */
export function propertiesOf(topic: string, payload: Uint8Array): Properties {
  const parsed = parseTopic(topic)
  return parsed === undefined || payload.length === 0 ? {} : propertiesByKind[parsed.kind]
}

/** Whether a topic is sent again and again, so that a number in its place saves bytes. */
export function repeats(topic: string): boolean {
  const kind = parseTopic(topic)?.kind
  return kind === 'epoch' || kind === 'open'
}
