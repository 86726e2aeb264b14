/**
 * The limits of the large MQTT services, held by aedes: who breaks one is thrown out, or refused its filter.
 * Each is the narrowest of AWS IoT Core ("AWS IoT Core endpoints and quotas": 7 slashes and 256 bytes a
 * topic, 128 KiB a message, 8 filters a SUBSCRIBE, 50 filters a client, 128 bytes of client id, QoS 0 and 1)
 * and Azure Event Grid ("Quotas and limits": 8 levels, 256 bytes, 50 filters a client). HiveMQ, EMQX and
 * mosquitto are wider as they come.
 */
import type { Aedes, AedesOptions, Client } from 'aedes'

export const narrowest = {
  topicBytes: 256,
  levels: 8,
  payloadBytes: 128 * 1024,
  filtersAPacket: 8,
  filtersAClient: 50,
  clientIdBytes: 128,
  qos: 1,
} as const

/** The most that anybody has asked of a broker so far, and each limit that was broken, in words. */
export type Asked = {
  readonly most: { -readonly [Name in keyof typeof narrowest]: number }
  readonly broken: string[]
}

export function nothingAsked(): Asked {
  const most = {
    ...{ topicBytes: 0, levels: 0, payloadBytes: 0, qos: 0 },
    ...{ filtersAPacket: 0, filtersAClient: 0, clientIdBytes: 0 },
  }
  return { most, broken: [] }
}

/** What aedes is created with; `watchPackets` sees the rest. */
export function narrowHooks(asked: Asked) {
  const filters = new WeakMap<Client, Set<string>>()
  return {
    preConnect(client, packet, done) {
      const bytes = Buffer.byteLength(packet.clientId ?? '')
      const no = weigh(asked, client, { clientIdBytes: bytes })
      done(no, no === null)
    },
    authorizePublish(client, { topic, payload, qos }, done) {
      const payloadBytes = Buffer.byteLength(payload)
      done(weigh(asked, client, { ...sizesOf(topic), payloadBytes, qos }))
    },
    authorizeSubscribe(client, one, done) {
      const own = filters.get(client) ?? new Set()
      filters.set(client, own.add(one.topic))
      const filtersAClient = own.size
      const no = weigh(asked, client, { ...sizesOf(one.topic), filtersAClient, qos: one.qos })
      done(null, no === null ? one : null)
    },
  } satisfies Partial<AedesOptions>
}

export function watchPackets(aedes: Aedes, asked: Asked): void {
  aedes.on('subscribe', ({ length }, client) => {
    if (weigh(asked, client, { filtersAPacket: length }) !== null) client.close()
  })
}

function weigh({ most, broken }: Asked, client: Client | null, sizes: Partial<Asked['most']>) {
  let no: Error | null = null
  for (const [key, size] of Object.entries(sizes)) {
    const name = key as keyof typeof narrowest
    most[name] = Math.max(most[name], size)
    if (size <= narrowest[name]) continue
    no = new Error(`${client?.id}: ${name} ${size} is over ${narrowest[name]}`)
    broken.push(no.message)
  }
  return no
}

function sizesOf(topic: string) {
  return { topicBytes: Buffer.byteLength(topic), levels: topic.split('/').length }
}
