/**
 * u-blox receivers in their own protocol, UBX, of every generation from u-blox 5 to M10 and F9; NMEA
 * sentences and RTCM corrections may stand between its messages.
 *
 *   0  b5 62      start
 *   2  u8, u8     class and id: 01 07 is NAV-PVT
 *   4  u16        bytes of payload, little-endian like all numbers
 *   6  payload    messages.ts, lists.ts
 *   …  2 × u8     Fletcher's checksum over everything behind the start
 *
 * Fields have the maker's names in SI units, angles in degrees; what the receiver does not know (all ones, a
 * DOP of 99.99, a flag that is not set) is absent. Messages that tell the same time of week are one moment.
 * NMEA sentences on the port are read as the driver nmea0183 reads them, and are moments of their own.
 *
 * With `configure: yes` the receiver is told to speak UBX, in its memory only (setup.ts). Otherwise nothing
 * is ever sent to it.
 *
 * Source: u-blox, "u-blox 8 / M8 Receiver description incl. protocol specification" (R28); "ZED-F9P Interface
 * description" (HPG 1.50); "u-blox 6 Receiver description" for the older messages.
 * Checked: test/captures/ubx.
 *
 * What can go wrong, and what then happens:
 *   noise on the line      bad checksum; bytes are given up until a frame is whole again
 *   no fix                 `gnssFixOk: false` and the like, and no place and speed: never the last known ones
 *   NAV-POSLLH alone       cannot tell of a fix: believed unless NAV-STATUS, NAV-SOL or NAV-PVT denies one
 *   no date or time yet    no `time`
 *   another message        doubt `unknown message`, with its name
 */
import {
  choice,
  defineDriver,
  doubt,
  flag,
  type OptionValues,
  type Saying,
  type Serial,
  type Step,
  type Value,
} from '../../runtime/sense/driver.ts'
import { gnssFields } from '../nmea0183/fields.ts'
import { nmea0183 } from '../nmea0183/index.ts'
import { ubxFields } from './fields.ts'
import { message, rtcm, shape, sync1 } from './frame.ts'
import { isBlind, messages, withoutPlace } from './messages.ts'
import { nameOf } from './names.ts'
import {
  messageRefused,
  portAnswered,
  type Setup,
  setupBefore,
  turn,
  versionAnswered,
} from './setup.ts'

type Memory = {
  readonly configures: boolean
  readonly readsNmea: boolean
  /** What the last message that can tell said; undefined before the first. */
  readonly fixed?: boolean
  readonly nmea: unknown
  readonly setup: Setup
}

const gnssOnly: OptionValues = { checksum: 'required', sentences: 'gnss' }
const sentenceFields = Object.keys(gnssFields).filter((name) => !gnssFields[name]?.detail)

export const ubx = defineDriver<Memory>({
  id: 'ubx',
  title: 'u-blox receivers in UBX, with NMEA on the same port',
  models: {},
  serial: { baudRate: 9600 },
  otherBaudRates: [38_400, 115_200, 57_600, 230_400, 460_800, 19_200],
  warmUpMs: 0,
  silenceMs: 5_000,
  options: {
    nmea: choice('what becomes of NMEA sentences on the port', ['read', 'skip'], 'read'),
    configure: flag('tell the receiver to speak UBX, until it loses power', false),
  },
  fields: { ...gnssFields, ...ubxFields },
  fieldsWith: ({ nmea }) => {
    const own = Object.keys(ubxFields).filter((name) => !ubxFields[name]?.detail)
    return nmea === 'skip' ? own : [...new Set([...own, ...sentenceFields])]
  },
  check: "Fletcher's checksum, 16 bits",
  questions: [message(0x0a, 0x04, [])],
  shape,
  begin: ({ nmea, configure }, serial: Serial) => ({
    configures: configure === true,
    readsNmea: nmea !== 'skip',
    nmea: nmea0183.begin(gnssOnly, serial),
    setup: setupBefore,
  }),
  decode(frame, memory) {
    if (frame[0] === sync1) return decodeUbx(frame, memory)
    if (frame[0] === rtcm) {
      return {
        memory,
        said: doubt('an RTCM message', String(((frame[3] ?? 0) << 4) | ((frame[4] ?? 0) >> 4))),
      }
    }
    if (!memory.readsNmea) return { memory, said: doubt('an NMEA sentence') }
    const { memory: nmea, ...said } = nmea0183.decode(frame, memory.nmea)
    return { memory: { ...memory, nmea }, ...said }
  },
  moments: { quietMs: 200, begins, join },
  ask(memory, nowMs) {
    if (!memory.configures) return { memory, wakeMs: 3_600_000 }
    const { setup, ...ask } = turn(memory.setup, nowMs)
    return { memory: { ...memory, setup }, ...ask }
  },
})

function decodeUbx(frame: Uint8Array, before: Memory): Step<Memory> {
  const [, , group = 0, id = 0] = frame
  const payload = new DataView(frame.buffer, frame.byteOffset + 6, frame.length - 8)
  const known = messages[(group << 8) | id]
  if (known === undefined) return answered(group, id, payload, before)
  const { name } = known
  if (payload.byteLength === 0) return { memory: before, said: doubt('a poll', name) }
  if (payload.byteLength < known.size)
    return { memory: before, said: doubt('message cut short', name) }
  const more = known.more?.(payload) ?? {}
  if (known.more !== undefined && Object.keys(more).length === 0) {
    return { memory: before, said: doubt('message cut short', name) }
  }
  const fixed = known.fixed?.(payload) ?? before.fixed
  const memory = remember(before, group, fixed, more.protVer)
  const values: Record<string, Value> = { msg: name }
  for (const [field, column] of Object.entries(known.columns)) {
    const value = column(payload)
    if (value !== undefined) values[field] = value
  }
  const holds = fixed !== false && (known.holds?.(payload) ?? true)
  const rest = { ...(holds ? values : withoutPlace(values)), ...more }
  const told = Object.keys(rest).some((field) => field !== 'msg' && field !== 'iTOW')
  if (!told) return { memory, said: doubt('no fix', name) }
  const saying: Saying = { ok: true, values: rest }
  return { memory, said: typeof rest.time === 'string' ? { ...saying, time: rest.time } : saying }
}

function remember(before: Memory, group: number, fixed?: boolean, protVer?: Value): Memory {
  const asked = before.configures && typeof protVer === 'number'
  const setup = asked ? versionAnswered(before.setup, protVer) : before.setup
  const memory = { ...before, setup: group === 0x01 ? { ...setup, heard: true } : setup }
  return fixed === undefined ? memory : { ...memory, fixed }
}

/** What is not read, among it the answers to what was sent. */
function answered(group: number, id: number, payload: DataView, memory: Memory): Step<Memory> {
  const unknown: Step<Memory> = { memory, said: doubt('unknown message', nameOf(group, id)) }
  if (!memory.configures) return unknown
  if (group === 0x06 && id === 0x00) {
    const setup = portAnswered(memory.setup, payload)
    return setup === undefined ? unknown : { memory: { ...memory, setup } }
  }
  if (group !== 0x05 || payload.byteLength < 2) return unknown
  if (id === 0x01) return { memory }
  const refused = nameOf(payload.getUint8(0), payload.getUint8(1))
  const setup = refused === 'CFG-MSG' ? messageRefused(memory.setup) : memory.setup
  return { memory: { ...memory, setup }, said: doubt('the receiver refused a setting', refused) }
}

/** A sentence and a message never share a moment, nor do messages of two times of week. */
function begins(held: readonly Saying[], next: Saying): boolean {
  const [first] = held
  const isSentence = next.values.msg === undefined
  if (first === undefined || isSentence !== (first.values.msg === undefined)) return true
  if (isSentence) return nmea0183.moments?.begins(held, next) ?? true
  const again = held.some(({ values }) => values.msg === next.values.msg)
  const times = [...held, next].flatMap(({ values }) => values.iTOW ?? [])
  return again || times.some((time) => time !== times[0])
}

/**
 * Where one message of the moment denies the fix, no other may have a place. Messages come in the order of
 * their ids: a place and nothing else behind that of NAV-PVT is NAV-HPPOSLLH's, a hundred times as fine.
 */
function join(values: Record<string, Value>, next: Saying['values']): Record<string, Value> {
  if (isBlind(values) || isBlind(next)) return withoutPlace({ ...next, ...values })
  const alone = next.hAcc !== undefined && next.fixType === undefined
  if (alone && next.lat !== undefined) return Object.assign(values, next)
  return nmea0183.moments?.join?.(values, next) ?? { ...next, ...values }
}
