/**
 * The brokers that a journey is made on: aedes in this process, or Debian's mosquitto as a city runs it.
 *
 * There the access list is the one that `wayside acl` writes: devices and the desk have logins, by password
 * or, under mutual TLS, by certificate; buyers have none, but under mutual TLS need a certificate too.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ends } from '../../demo/ends.ts'
import { atomicWrite } from '../../runtime/disk/write.ts'
import { aclFile } from '../../runtime/operator/acl.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { topics } from '../../runtime/wire/topic.ts'
import * as stock from '../link/mosquitto.ts'
import { startAedes } from './aedes.ts'
import { startGate } from './gate.ts'
import type { Asked } from './narrow.ts'

export const flavours = [
  'aedes',
  'mosquitto-3.1.1',
  'mosquitto-5',
  'mosquitto-tls',
  'mosquitto-mtls',
] as const
export type Flavour = (typeof flavours)[number]

/** What `broker` in a config takes. */
export type BrokerSettings = {
  readonly url: string
  readonly username?: string
  readonly passwordFile?: string
  readonly version?: 'auto' | '3.1.1' | '5'
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

export type StreetBroker = {
  readonly flavour: Flavour
  readonly url: string
  /** What was asked of a narrow one; of aedes only. */
  readonly asked?: Asked
  /** How a device (its address), the desk or a buyer connects. */
  line(who: Address | 'desk' | 'buyer'): Promise<BrokerSettings>
  /** From now on no grant, ack or enrolment reaches that device, or they do again. */
  deafen(device: Address, deaf: boolean): void
  /** That device may write that topic no more. */
  forbid(device: Address, topic: string): void
  /** It stands still with every line open, and nothing passes; then it goes on. */
  freeze(): void
  thaw(): void
  /** Every line to it falls and none can be made; then they can. It knows of nothing. */
  cut(): void
  mend(): void
  /** It is gone, and with it what it held in memory; then another stands on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

export type BrokerParts = {
  readonly flavour: Flavour
  /** A folder for what it needs. */
  readonly folder: string
  readonly operator: Address
  readonly devices: readonly Address[]
  /** Its retained messages and sessions outlive a stop; not with aedes. */
  readonly keeps: boolean
  /** As narrow as the large services and careful owners make one. */
  readonly narrow: boolean
}

/** Why there is no such broker on this machine; false where there is. */
export function noBroker(flavour: Flavour): string | false {
  return flavour === 'aedes' ? false : stock.noMosquitto
}

/** Starts it on a port of its own; it ends with the street. */
export async function startBroker(end: Ends, parts: BrokerParts): Promise<StreetBroker> {
  return parts.flavour === 'aedes' ? startAedes(end, parts.narrow) : startMosquitto(end, parts)
}

async function startMosquitto(end: Ends, parts: BrokerParts): Promise<StreetBroker> {
  const { flavour, folder, devices, keeps, narrow, operator } = parts
  const names = [...devices, 'desk']
  const acl = aclFile({ operator, gatewayLogin: 'desk', devices, alone: false })
  const mutual = flavour === 'mosquitto-mtls'
  const passwordFile = join(folder, 'broker-password')
  await atomicWrite(passwordFile, `${password}\n`, { mode: 0o600 })
  const users = Object.fromEntries(names.map((name) => [name, password]))
  const kept = ['persistence true', `persistence_file ${join(folder, 'mosquitto.db')}`]
  const host = await stock.startMosquitto(
    { after: (fn) => void end.add(fn) },
    {
      flavour: flavour.replace('mosquitto-', '') as stock.Flavour,
      acl,
      ...(mutual ? {} : { users, anonymous: true }),
      conf: [...(keeps ? kept : []), ...(narrow ? narrowLines : [])],
    },
  )
  const gate = await startGate(host.url)
  end.add(gate.stop)
  const url = host.url.replace(`:${host.port}`, `:${new URL(gate.url).port}`)
  const deaf = new Set<Address>()
  const forbidden: string[] = []
  const writeAcl = () => {
    const lines = [acl, ...[...deaf].map(nothingFor), ...forbidden]
    writeFileSync(join(host.folder, 'acl'), lines.join('\n'))
    host.signal('SIGHUP')
  }
  const lines = new Map<string, ReturnType<typeof host.line>>()
  return {
    ...{ flavour, url, cut: gate.cut, mend: gate.open },
    async line(who) {
      const own = lines.get(who) ?? host.line(who)
      lines.set(who, own)
      const line = { ...(await own), url }
      return mutual || who === 'buyer' ? line : { ...line, username: who, passwordFile }
    },
    deafen(device, now) {
      if (now) deaf.add(device)
      else deaf.delete(device)
      writeAcl()
    },
    forbid(device, topic) {
      forbidden.push(`user ${device}`, `topic deny ${topic}`, '')
      writeAcl()
    },
    freeze: () => host.signal('SIGSTOP'),
    thaw: () => host.signal('SIGCONT'),
    stop: () => host.stop(keeps ? 'SIGTERM' : 'SIGKILL'),
    start: host.start,
  }
}

const password = 'a-password-of-the-street'

/** Of mosquitto.conf: one message on its way at a time, a hundred in a queue, packets of 128 KiB. */
const narrowLines = [
  ...['max_inflight_messages 1', 'max_queued_messages 100', 'max_packet_size 131072'],
  ...['max_topic_alias 0', 'max_keepalive 10', 'persistent_client_expiration 1h'],
  ...['allow_zero_length_clientid false', 'max_qos 1', 'upgrade_outgoing_qos true'],
]

/** What the gateway says to it, it may not read. */
function nothingFor(device: Address): string {
  const { grant, ack, enrolment } = topics(device)
  const denied = [grant, ack, enrolment].map((topic) => `topic deny ${topic}`)
  return [`user ${device}`, ...denied, ''].join('\n')
}
