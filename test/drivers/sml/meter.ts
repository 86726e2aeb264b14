/** A meter that sends what a test wants to see read, in SML. */

export type Row = {
  readonly code: string
  readonly value: string
  readonly unit?: number
  readonly scaler?: number
  readonly status?: string
  readonly time?: string
}

/** A file with one list; all parts are hex with their type and length. */
export function file(
  rows: readonly Row[],
  { server = '0b0a01454d480000000001', time = '01', kermit = false, badMessage = false } = {},
): Uint8Array {
  const list = `77 01 ${server} 01 ${time} ${listOf(rows.map(entry))} 01 01`
  const messages = [
    message('7263010176010102000b0a01454d4800000000010101', kermit),
    message(`72630701 ${list}`, kermit, badMessage),
    message('726302017101', kermit),
  ]
  return framed(Buffer.concat(messages), kermit)
}

/** Content between start and end, padded, with what must be sent twice, and the CRC. */
export function framed(content: Uint8Array, kermit = false): Uint8Array {
  const padding = (4 - (content.length % 4)) % 4
  const twice = Buffer.from(content)
    .toString('latin1')
    .replaceAll('\x1b'.repeat(4), '\x1b'.repeat(8))
  const covered = Buffer.concat([
    hex('1b1b1b1b01010101'),
    Buffer.from(twice, 'latin1'),
    Buffer.alloc(padding),
    hex(`1b1b1b1b1a0${padding}`),
  ])
  return new Uint8Array(Buffer.concat([covered, crc(covered, kermit)]))
}

function entry({ code, value, unit, scaler, status = '01', time = '01' }: Row): string {
  const parts = code.split(/[-:.*]/).map((part) => Number(part).toString(16).padStart(2, '0'))
  const byte = (kind: string, of?: number) =>
    of === undefined ? '01' : kind + (of & 255).toString(16).padStart(2, '0')
  return `77 07${parts.join('')} ${status} ${time} ${byte('62', unit)} ${byte('52', scaler)} ${value} 01`
}

/** More than 15 elements take a second byte of length. */
function listOf(items: readonly string[]): string {
  const size = items.length
  const head =
    size < 16 ? `7${size.toString(16)}` : `f${(size >> 4).toString(16)}0${(size & 15).toString(16)}`
  return head + items.join('')
}

function message(body: string, kermit: boolean, bad = false): Buffer {
  const covered = hex(`76 0401020304 6200 6200 ${body}`.replace('0401020304', '0501020304'))
  const sum = crc(covered, kermit)
  if (bad) sum[0] = (sum[0] ?? 0) ^ 1
  return Buffer.concat([covered, hex('63'), sum, hex('00')])
}

/** Bit by bit, another way than the driver's. */
function crc(bytes: Uint8Array, kermit: boolean): Buffer {
  let sum = kermit ? 0 : 0xffff
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit += 1) {
      const low = (sum ^ (byte >> bit)) & 1
      sum = (sum >> 1) ^ (low ? 0x8408 : 0)
    }
  }
  const out = Buffer.alloc(2)
  if (kermit) out.writeUInt16BE(sum)
  else out.writeUInt16LE(sum ^ 0xffff)
  return out
}

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex')
}
