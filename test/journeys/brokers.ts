/**
 * The brokers that a journey is made on: aedes in this process, or Debian's mosquitto as a city runs it.
 *
 * A device and the desk have logins (by password, or by certificate under mutual TLS); buyers have none,
 * but under mutual TLS need a certificate too.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ends } from '../../demo/ends.ts'
import { atomicWrite } from '../../runtime/disk/write.ts'
import type { Address } from '../../runtime/wire/address.ts'
import { topics } from '../../runtime/wire/topic.ts'
import * as stock from '../link/mosquitto.ts'
import { startAedes } from './aedes.ts'

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
  /** How a device (its address), the desk or a buyer connects. */
  line(who: Address | 'desk' | 'buyer'): Promise<BrokerSettings>
  /** From now on no grant, ack or enrolment reaches that device, or they do again. */
  deafen(device: Address, deaf: boolean): void
  /** It stands still with every line open, and nothing passes; then it goes on. */
  freeze(): void
  thaw(): void
  /** It is gone, and with it what it held in memory; then another stands on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

export type BrokerParts = {
  readonly flavour: Flavour
  /** A folder for what it needs. */
  readonly folder: string
  readonly devices: readonly Address[]
  /** Its retained messages and sessions outlive a stop; not with aedes. */
  readonly keeps: boolean
}

/** Why there is no such broker on this machine; false where there is. */
export function noBroker(flavour: Flavour): string | false {
  return flavour === 'aedes' ? false : stock.noMosquitto
}

/** Starts it on a port of its own; it ends with the street. */
export async function startBroker(end: Ends, parts: BrokerParts): Promise<StreetBroker> {
  return parts.flavour === 'aedes' ? startAedes(end) : startMosquitto(end, parts)
}

async function startMosquitto(end: Ends, parts: BrokerParts): Promise<StreetBroker> {
  const { flavour, folder, devices, keeps } = parts
  const names = [...devices, 'desk']
  const mutual = flavour === 'mosquitto-mtls'
  const passwordFile = join(folder, 'broker-password')
  await atomicWrite(passwordFile, `${password}\n`, { mode: 0o600 })
  const users = Object.fromEntries(names.map((name) => [name, password]))
  const kept = ['persistence true', `persistence_file ${join(folder, 'mosquitto.db')}`]
  const host = await stock.startMosquitto(
    { after: (fn) => void end.add(fn) },
    {
      flavour: flavour.replace('mosquitto-', '') as stock.Flavour,
      acl: accessOf(names, []),
      ...(mutual ? {} : { users, anonymous: true }),
      conf: keeps ? kept : [],
    },
  )
  const deaf = new Set<Address>()
  return {
    flavour,
    url: host.url,
    async line(who) {
      const { version, ...spoken } = await host.line(who)
      const line = version === 'auto' ? spoken : { ...spoken, version }
      return mutual || who === 'buyer' ? line : { ...line, username: who, passwordFile }
    },
    deafen(device, now) {
      if (now) deaf.add(device)
      else deaf.delete(device)
      writeFileSync(join(host.folder, 'acl'), accessOf(names, [...deaf]))
      host.signal('SIGHUP')
    },
    freeze: () => host.signal('SIGSTOP'),
    thaw: () => host.signal('SIGCONT'),
    stop: () => host.stop(keeps ? 'SIGTERM' : 'SIGKILL'),
    start: host.start,
  }
}

const password = 'a-password-of-the-street'

/** Everybody may do everything; who is deaf cannot read what is said to it. */
function accessOf(names: readonly string[], deaf: readonly Address[]): string {
  const all = [undefined, ...names].map((name) =>
    [...(name === undefined ? [] : [`user ${name}`]), 'topic readwrite #'].join('\n'),
  )
  const none = deaf.map((device) => {
    const { grant, ack, enrolment } = topics(device)
    return [
      `user ${device}`,
      ...[grant, ack, enrolment].map((topic) => `topic deny ${topic}`),
    ].join('\n')
  })
  return `${[...all, ...none].join('\n\n')}\n`
}
