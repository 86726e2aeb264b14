/**
 * AIS receivers: what ships, stations, aids to navigation and aircraft say of themselves.
 *
 *   !AIVDM,2,1,3,B,55NBjP01mtGIL@CW;SM<D60P5Ld000…,0*66\r\n
 *   │      │ │ │ │ └ payload, six bits a letter     │ └ exclusive or of what is between ! and *
 *   │      │ │ │ └ radio channel                    └ bits too many in the last letter
 *   │      │ │ └ tells messages in several parts apart
 *   │      │ └ this part, of so many
 *   └ any talker, VDM (others) or VDO (this station itself); a tag block may stand before it
 *
 * Read are the messages 1 to 5, 8 (weather and water), 9, 18, 19, 21, 24 and 27; each is a moment, and its
 * subject is the MMSI. Values are in SI units, angles in degrees; what is "not available" is absent. What
 * receivers write behind the checksum (signal, slot, their clock) is passed over: nothing guards it.
 *
 * Source: Recommendation ITU-R M.1371-5 (2014), annex 8; IEC 62320-1 and NMEA 0183 version 4 for the
 * sentences; IMO SN.1/Circ.289 and SN/Circ.236 for the weather. Checked: test/captures/ais.
 *
 * What can go wrong, and what then happens:
 *   noise on the line       bad checksum; bytes are given up to the next start
 *   noise on the air        a position off the map, a number no station has: doubt `bad field`
 *   a part is missing       doubt `part of a message is missing`, when its numbers come round again
 *   cut short               doubt `message cut short`; longer than the book is read
 *   no ship in reach        ten minutes without a sentence, and the port is opened anew (silenceMs)
 */
import {
  badChecksum,
  choice,
  defineDriver,
  doubt,
  type Saying,
  type Shape,
  type Step,
  type Value,
} from '../../runtime/sense/driver.ts'
import { nmea0183 } from '../nmea0183/index.ts'
import { armoured, type Bits, bad, type Columns } from './bits.ts'
import { aisFields } from './fields.ts'
import { head, type Message, tableOf } from './messages.ts'
import { type Open, type Part, takePart, type Whole } from './parts.ts'
import { readTag, type Tag, tagHolds, tagSize } from './tagblock.ts'
import { applicationOf, weather } from './weather.ts'

type Memory = { readonly needsChecksum: boolean; readonly open: Open }

/** A sentence, and a tag block before it. */
const shape: Shape = {
  starts: Uint8Array.of(0x5c, ...nmea0183.shape.starts),
  idle: nmea0183.shape.idle,
  sizeMax: 1024,
  size(bytes, ended) {
    const tag = tagSize(bytes)
    if (tag === 'more') return 'more'
    const rest = bytes.subarray(tag)
    if (rest.length === 0) return tag === 0 ? 0 : 'more'
    if (!nmea0183.shape.starts.includes(rest[0] ?? 0)) return 0
    const size = nmea0183.shape.size(rest, ended)
    return size === 'more' || size === 0 ? size : tag + size
  },
  flaw(frame) {
    const tag = Number(tagSize(frame))
    if (tag > 0 && !tagHolds(frame.subarray(0, tag))) return badChecksum
    return nmea0183.shape.flaw(frame.subarray(tag))
  },
}

export const ais = defineDriver<Memory>({
  id: 'ais',
  title: 'AIS receivers and transponders (VDM and VDO sentences)',
  models: {},
  serial: { baudRate: 38_400 },
  otherBaudRates: [115_200, 9600, 4800, 57_600],
  warmUpMs: 0,
  silenceMs: 600_000,
  options: {
    checksum: choice('what becomes of sentences without one', ['required', 'optional'], 'required'),
  },
  fields: aisFields,
  fieldsWith: ({ checksum }) =>
    Object.keys(aisFields).filter(
      (name) => !aisFields[name]?.detail && (name !== 'unchecked' || checksum === 'optional'),
    ),
  check: 'exclusive or of the bytes, 8 bits',
  shape,
  begin: ({ checksum }) => ({
    needsChecksum: checksum === 'required',
    open: { groups: [], heard: 0 },
  }),
  decode(frame, memory) {
    const tag = Number(tagSize(frame))
    const text = String.fromCharCode(...frame.subarray(tag)).trimEnd()
    const [, start, body = '', sum] = /^([$!])(.*?)(?:\*([0-9A-Fa-f]{2}))?$/.exec(text) ?? []
    const [address = '', ...fields] = body.split(',')
    if (start !== '!' || !/^[A-Z0-9]{2}VD[MO]$/.test(address)) {
      return { memory, said: doubt('unknown sentence', address) }
    }
    if (sum === undefined && memory.needsChecksum) return { memory, said: doubt('no checksum') }
    const told = readTag(String.fromCharCode(...frame.subarray(0, tag)))
    const part = readPart(address, fields, told, sum === undefined)
    if (part === undefined) return { memory, said: doubt('bad field', address) }
    return takeSentence(part, memory, address)
  },
})

/** How many parts, which, sequence number, channel, payload, bits too many. */
function readPart(
  address: string,
  fields: readonly string[],
  { group = '', time }: Tag,
  unchecked: boolean,
): Part | undefined {
  const [total = '', number = '', sequence = '', channel = '', payload = '', fill = ''] = fields
  const plain = /^[1-9]$/.test(total) && /^[1-9]$/.test(number) && /^[0-5]?$/.test(fill)
  if (!plain || fields.length < 6 || Number(number) > Number(total)) return undefined
  return {
    key: [address, total, sequence].join(','),
    channel,
    group,
    total: Number(total),
    number: Number(number),
    payload,
    fill: Number(fill),
    ...(time !== undefined && { time }),
    ...(unchecked && { unchecked }),
  }
}

function takeSentence(part: Part, memory: Memory, address: string): Step<Memory> {
  if (part.total === 1) {
    const open = { ...memory.open, heard: memory.open.heard + 1 }
    return { memory: { ...memory, open }, said: readMessage(part, address) }
  }
  const { open, whole, lost } = takePart(memory.open, part)
  const after = { ...memory, open }
  if (whole !== undefined) return { memory: after, said: readMessage(whole, address) }
  return lost ? { memory: after, said: doubt('part of a message is missing') } : { memory: after }
}

function readMessage({ channel, payload, fill, time, unchecked }: Whole, address: string) {
  if (payload === '') return doubt('empty')
  const bits = armoured(payload, fill)
  if (bits === undefined) return doubt('bad payload')
  const type = bits.unsigned(0, 6)
  if (bits.size < 40) return doubt('message cut short', `type ${type}`)
  const found = type === 8 ? ofWeather(bits) : tableOf(bits)
  if (found === undefined) {
    if (type !== 8) return doubt('unknown type', `type ${type}`)
    return doubt('unknown binary message', `DAC-FI ${applicationOf(bits)}`)
  }
  if (bits.size < found.size) return doubt('message cut short', `type ${type}, ${bits.size} bits`)
  const values = readColumns(bits, { ...head, ...found.columns })
  if (typeof values === 'string') return doubt('bad field', `type ${type} ${values}`)
  const own = address.endsWith('VDO')
  const at = values.time ?? time
  const saying: Saying = {
    ok: true,
    subject: String(values.mmsi).padStart(9, '0'),
    values: {
      ...values,
      ...(typeof at === 'string' && { time: at }),
      ...(own && { own }),
      ...(channel !== '' && { channel }),
    },
    ...(typeof at === 'string' && { time: at }),
    ...(unchecked && { unchecked }),
  }
  return saying
}

function ofWeather(bits: Bits): Message | undefined {
  return bits.size < 56 ? undefined : weather[applicationOf(bits)]
}

/** The values, or the name of the field that nobody can mean. */
function readColumns(bits: Bits, columns: Columns): Record<string, Value> | string {
  const values: Record<string, Value> = {}
  for (const [name, column] of Object.entries(columns)) {
    const value = column(bits)
    if (value === bad) return name
    if (value !== undefined) values[name] = value
  }
  return values
}
