/**
 * Victron VE.Direct: solar chargers, battery monitors, inverters and chargers.
 *
 * They speak unasked once a second, 19,200 baud 8N1, in blocks of lines; a battery monitor alternates two:
 *
 *   \r\n <label> \t <value>        one line; the labels are the table in labels.ts
 *   \r\nChecksum\t <byte>          ends a block: the sum of all its bytes is 0 modulo 256
 *   : <hex digits> \n              the HEX protocol of their own tools, which may stand between any two lines
 *                                  and counts in no sum: recognised and skipped
 *
 * A block begins with PID, with H1 (the history of a battery monitor), or with V (BMV-600, which has no PID).
 * Nothing else may begin one: the rest of a broken block would pass its 8-bit sum once in 256 times.
 * Blocks that were copied as text are read too: block.ts.
 *
 * Values are the maker's fields in SI units; `---` (not there) and a time to go of −1 (for ever) are absent.
 * Labels that are not in the table are left out.
 *
 * Source: Victron Energy, "VE.Direct Protocol", version 3.34. Checked: test/captures/vedirect.
 *
 * What can go wrong, and what then happens:
 *   noise on the line     bad checksum; bytes are given up to the next beginning of a block
 *   half a line           the sum fails, for the whole block; one of 8 bits is right by chance once in 256
 *                         times, so a line that is none and a label that comes twice are doubts too
 *   HEX traffic           their app is connected: text blocks come late or not at all; nothing is lost
 */
import { type Driver, defineDriver, doubt, type Value } from '../../runtime/sense/driver.ts'
import { colon, linesOf, shape } from './block.ts'
import { fields, labels } from './labels.ts'
import { productOf } from './products.ts'

export const vedirect: Driver = defineDriver({
  id: 'vedirect',
  title: 'Victron VE.Direct (MPPT, BMV, SmartShunt, Phoenix)',
  models: {},
  serial: { baudRate: 19_200 },
  otherBaudRates: [],
  warmUpMs: 0,
  silenceMs: 10_000,
  options: {},
  fields,
  check: 'sum of the bytes, 8 bits',
  shape,
  begin: () => undefined,
  decode(frame, memory) {
    if (frame[0] === colon) return { memory }
    const values: Record<string, Value> = {}
    for (const line of linesOf(frame)) {
      const [label = '', text = ''] = line.split('\t')
      const value = labels[label]?.read(text.trim())
      const name = labels[label]?.name ?? label
      if (value !== undefined) values[name] = value
    }
    const product = productOf(String(values.PID))
    if (product !== undefined) values.product = product
    if (Object.keys(values).length === 0)
      return { memory, said: doubt('nothing known in the block') }
    return { memory, said: { ok: true, values } }
  },
})
