/**
 * DSMR P1: the customer's port of smart meters in the Netherlands, and of those that took it over: Belgium
 * (e-MUCS), Luxembourg (encrypted), Hungary, Ireland, Sweden, Finland, Switzerland, Lithuania, … A telegram
 * comes unasked, every second (DSMR 5) or every ten:
 *
 *   /ISk5\2MT382-1000            maker, speed and type
 *
 *   0-0:1.0.0(170102192002W)     code and value, line by line: values.ts
 *   1-0:1.8.1(000004.426*kWh)
 *   !6EEE                        CRC from / to !, since DSMR 4; meters before have none
 *
 * The line is 115,200 baud 8N1; DSMR 2 and 3 (models `dsmr2`, `dsmr3`) 9600 baud 7E1. The signal is inverted
 * and comes only while pin 2 of the plug is held at 5 V: what a P1 cable does.
 *
 * Fields are OBIS codes (obis.ts) in the units of fields.ts; where it names none, in the meter's. The meter's
 * own time becomes that of the moment; `zone` is where its clock is right. The encrypted frame (cipher.ts) is
 * opened with `key`, 32 hex digits from the operator.
 *
 * Source: fields.ts; IEC 62056-21 mode D. Checked: test/captures/dsmr.
 *
 * What can go wrong, and what then happens:
 *   noise on the line              bad checksum, a doubt; bytes are given up to the next beginning
 *   noise, before DSMR 4           nothing can tell but a line that is none: doubt `broken line`
 *   the key is missing or wrong    doubt `encrypted: option key` or `not opened by this key`
 *   the key is right, the tag not  doubt `wrong tag: option authkey`: another authentication key, or a forger
 *   it has no tag, or a wrong CRC  read, and marked `unchecked`, when the other of the two is right
 *   a gas meter is out of reach    its value and its time stay what they were; with a time that never was
 *                                  both are absent
 */
import {
  badChecksum,
  choice,
  type Driver,
  defineDriver,
  doubt,
  flag,
  hexKey,
  missingChecksum,
  type Said,
  uncheckedField,
} from '../../runtime/sense/driver.ts'
import { dataSets } from '../d0/dataset.ts'
import { withoutParity } from '../parity.ts'
import { type Opened, sealedStart, unseal } from './cipher.ts'
import { fields } from './fields.ts'
import { earlyShape, hasCrc, partsOf, shape, textFlaw, textSize } from './telegram.ts'
import { type Zone, zones } from './time.ts'
import { valuesOf } from './values.ts'

/** What the options say; nothing is remembered from telegram to telegram. */
type Memory = {
  readonly zone: Zone
  readonly key?: string
  readonly authentication?: string
}

const earlySerial = { baudRate: 9600, dataBits: 7, parity: 'even' } as const

export const dsmr: Driver = defineDriver<Memory>({
  id: 'dsmr',
  title: 'DSMR P1 smart meters (2.2 to 5; Belgium, Luxembourg and others)',
  models: {
    dsmr2: { early: true },
    dsmr3: { early: true },
    dsmr4: {},
    dsmr5: {},
    fluvius: {},
    smarty: {},
  },
  serial: { baudRate: 115_200 },
  otherBaudRates: [9600],
  warmUpMs: 0,
  silenceMs: 45_000,
  options: {
    early: flag('DSMR 2 or 3: 9600 baud 7E1', false),
    zone: choice("zone of the meter's clock", Object.keys(zones), 'cet'),
    key: hexKey('key of an encrypted meter', 16),
    authkey: hexKey('its authentication key, where it is not the public one', 16),
  },
  fields: { ...fields, ...uncheckedField },
  under: ({ early }) =>
    early === true ? { ...dsmr, shape: earlyShape, serial: earlySerial } : dsmr,
  check: 'CRC-16; none before DSMR 4; AES-GCM where encrypted',
  shape,
  begin: ({ zone, key, authkey }) => ({
    zone: zone as Zone,
    ...(key === undefined ? {} : { key: String(key) }),
    ...(authkey === undefined ? {} : { authentication: String(authkey) }),
  }),
  decode(frame, memory) {
    if (frame[0] !== sealedStart) return { memory, said: say(withoutParity(frame), memory.zone) }
    const { key, authentication, zone } = memory
    if (key === undefined) return { memory, said: doubt('encrypted: option key') }
    const opened = unseal(frame, authentication === undefined ? { key } : { key, authentication })
    if (opened === undefined) return { memory, said: doubt('not opened by this key') }
    return { memory, said: sayOpened(opened, zone) }
  },
})

/** Tag and CRC must be right, where they are; with only one of them, what is said is unchecked. */
function sayOpened({ inside, tag }: Opened, zone: Zone): Said {
  const size = textSize(inside, true)
  const isTelegram = inside[0] === 0x2f && size !== 'more' && size > 0
  if (!isTelegram) return doubt(tag === 'right' ? 'no telegram inside' : 'not opened by this key')
  const telegram = inside.subarray(0, size)
  const flaw = textFlaw(telegram)
  if (tag !== 'right') {
    if (flaw !== undefined || !hasCrc(telegram)) return doubt('not opened by this key')
    if (tag === 'wrong') return doubt('wrong tag: option authkey')
  }
  // The tag covers every byte too: the CRC inside is told by the mark, and not held.
  if (flaw !== undefined && flaw !== badChecksum && flaw !== missingChecksum) return doubt(flaw)
  const said = say(telegram, zone)
  return said.ok && (tag === 'none' || flaw !== undefined) ? { ...said, unchecked: true } : said
}

function say(telegram: Uint8Array, zone: Zone): Said {
  const { identification, block, digits } = partsOf(telegram)
  const { values, units, time } = valuesOf(dataSets(block).sets, zone)
  if (Object.keys(values).length === 0) return doubt('no value')
  return {
    ...{ ok: true, values: { identification, ...values }, units },
    ...(time !== undefined && { time }),
    ...(digits === '' && { unchecked: true }),
  }
}
