/**
 * Who may write and read what at the broker, as an access list for mosquitto (`acl_file`). It keeps writers
 * apart and stops floods; every message is signed or sealed besides, so nothing secret hangs on it.
 */
import type { Address } from '../wire/address.ts'
import { shown } from '../wire/shown.ts'
import { topics } from '../wire/topic.ts'

export type AclParts = {
  readonly operator: Address
  /** The gateway's login: its user name, or the common name of its certificate. */
  readonly gatewayLogin: string
  readonly devices: readonly Address[]
  /** The broker serves no other operator: one line with `+` stands for a line for each device. */
  readonly alone: boolean
}

/** One right. `device` is every login that is a device's address, under that address. */
export type Right = {
  readonly who: 'everybody' | 'device' | 'gateway'
  readonly access: 'read' | 'write'
  /** A filter; `%u` is the login's name. */
  readonly topic: string
}

/** Every right of a fleet, in the order in which a person would tell them. */
export function rightsOf({ operator, devices, alone }: AclParts): Right[] {
  const any = topics('+' as Address)
  const own = topics('%u' as Address)
  const desk = topics(operator)
  const right = (who: Right['who'], access: Right['access'], all: readonly string[]): Right[] =>
    all.map((topic) => ({ who, access, topic }))
  const served = alone ? ['+' as Address] : devices
  return [
    ...right('everybody', 'read', [any.offer, any.index, any.status, any.enrolment, any.grant]),
    ...right('everybody', 'read', [any.setup('+'), any.epoch('+'), any.open('+')]),
    ...right('everybody', 'read', [any.answer('+'), any.keys('+')]),
    ...right('everybody', 'write', [any.ask]),
    ...right('device', 'write', [own.status, own.offer, own.index, own.sold]),
    ...right('device', 'write', [own.setup('+'), own.epoch('+'), own.open('+')]),
    ...right('device', 'write', [own.answer('+'), own.keys('+')]),
    ...right('device', 'read', [own.ask, own.ack]),
    ...right('gateway', 'read', [desk.ask, any.sold, any.ack]),
    ...right('gateway', 'write', [desk.offer, desk.answer('+')]),
    ...served.flatMap((device) => {
      const { grant, ack, enrolment } = topics(device)
      return right('gateway', 'write', [grant, ack, enrolment])
    }),
  ]
}

/** The access list as mosquitto reads it. */
export function aclFile(parts: AclParts): string {
  const rights = rightsOf(parts)
  const of = (who: Right['who'], word: string) =>
    rights
      .filter((right) => right.who === who)
      .map(({ access, topic }) => `${word} ${access} ${topic}`)
  const whose = parts.alone
    ? 'its devices are all that there are at this broker'
    : 'its devices, one by one: write this file anew when the fleet changes'
  return [
    ...head(parts),
    '# Everybody, with a login or without: reads what is for sale and what is answered, and asks.',
    ...of('everybody', 'pattern'),
    '',
    '# A device, by its login: writes under its own address and nowhere else.',
    ...of('device', 'pattern'),
    '',
    `# The gateway of operator ${parts.operator}: grants, acks and enrols;`,
    `# ${whose}.`,
    `user ${shown(parts.gatewayLogin)}`,
    ...of('gateway', 'topic'),
    '',
  ].join('\n')
}

/** What mosquitto.conf needs beside it, as comments and settings that a person copies. */
export function mosquittoHints(devices: number): string {
  return `# Beside it, in mosquitto.conf:
acl_file /etc/mosquitto/wayside.acl
# Without it a restart forgets offers, grants and keys:
persistence true
# A power cut takes what was not saved yet; by default that is half an hour:
autosave_interval 60
# What waits for one client, retained messages of all devices at its first question too. The 1,000 that
# are the default hide the rest of a larger fleet from buyers and desk, and nobody is told:
max_queued_messages ${queueOf(devices)}
# MQTT 5: the most topics of one device that go as a number, about 60 bytes less a message:
max_topic_alias 100
# Buyers, without a login:
listener 1883
allow_anonymous true
# Devices and gateway, by certificate; its common name (CN) is the login. (By password: password_file
# on the listener above.)
listener 8883
cafile /etc/mosquitto/ca.crt
certfile /etc/mosquitto/broker.crt
keyfile /etc/mosquitto/broker.key
require_certificate true
use_identity_as_username true
# A changed list is read again at SIGHUP: systemctl reload mosquitto`
}

/** Two messages of each device, and no less than mosquitto's own default. */
function queueOf(devices: number): number {
  return Math.max(1_000, 2 * devices)
}

function head({ gatewayLogin, devices }: AclParts): readonly string[] {
  return [
    '# Access list for mosquitto, written by `wayside acl`.',
    '#',
    '# The login of a device is its address, in small letters: as user name, or as the common name (CN)',
    '# of its certificate. In a `pattern` line %u is the login of whoever asks, so one line serves every',
    `# device (there are ${devices.length}). Buyers need no login. That of the gateway is`,
    `# ${shown(gatewayLogin)}.`,
    '#',
    '# The list keeps writers apart. It keeps no secrets: what is sold is sealed, what is said is signed.',
    '# mosquitto lets anybody subscribe to anything, and then passes on only what they may read.',
    '',
  ]
}
