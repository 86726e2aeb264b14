/**
 * What frames say that measure nothing: requests, and answers to them that bring no registers. For the bench:
 * whoever listens to a bus wants to see who asks what of whom, and what is written.
 */
import type { Field } from '../../runtime/sense/driver.ts'
import type { Answer } from './answer.ts'
import type { Written } from './files.ts'
import { identityNames } from './identity.ts'
import type { Request } from './request.ts'

type Told = Readonly<Record<string, number | string | boolean>>

/** A request: its function, and what it wants where. */
export function asked(request: Request): Told {
  const many = 'count' in request ? { count: request.count } : {}
  const values = 'values' in request ? { count: request.values.length, ...many } : many
  const pieces =
    request.function === 20 ? { records: request.pieces.map(pieceWords).join(' ') } : {}
  return { asks: request.function, ...place(request), ...values, ...pieces, ...written(request) }
}

/** An answer that is no exception and brings no registers or bits. */
export function answered(answer: Answer): Told {
  switch (answer.function) {
    case 7:
    case 11:
      return { answers: answer.function, ...eventsOf(answer) }
    case 12:
      return { answers: 12, ...eventsOf(answer), messages: answer.messages, log: hex(answer.log) }
    case 15:
    case 16:
      return { answers: answer.function, ...place(answer), count: answer.count }
    case 17:
      return { answers: 17, id: hex(answer.id) }
    case 43:
      return { answers: 43, ...identityOf(answer.objects) }
    default:
      return { answers: Number(answer.function), ...place(answer), ...written(answer) }
  }
}

/** Every field of these; none is for sale. */
export function lineFields(): Record<string, Field> {
  const rows: readonly Row[] = [
    ['asks', 'integer', 'function of a request that was heard'],
    ['answers', 'integer', 'function of an answer that measures nothing'],
    ['address', 'integer', 'its first register or bit'],
    ['count', 'integer', 'how many it is about'],
    ['writes', 'text', 'what it writes'],
    ['records', 'text', 'file:record, and how many registers from there'],
    ['diagnostic', 'integer', 'code of a diagnosis'],
    ['status', 'integer', 'status of the device'],
    ['events', 'integer', 'how many events it counted'],
    ['messages', 'integer', 'how many messages it counted'],
    ['log', 'text', 'its log of events, in hex'],
    ['id', 'text', 'how it names itself, in hex'],
    ...identityNames.map((name): Row => [name, 'text', `its ${name.replace('_', ' ')}`]),
  ]
  return Object.fromEntries(
    rows.map(([name, type, title]) => [name, { title, type, detail: true }]),
  )
}

type Row = readonly [name: string, type: Field['type'], title: string]

function place(frame: Request | Answer): Told {
  if ('code' in frame && frame.function === 8) return { diagnostic: frame.code }
  return 'address' in frame ? { address: frame.address } : {}
}

/** What a frame writes, in the words of a person: on and off, numbers, and where they do not fit, a part. */
function written(frame: Request | Answer): Told {
  if ('value' in frame) return { writes: said([frame.value]) }
  if ('values' in frame) return { writes: said(frame.values) }
  if ('and' in frame) return { writes: `and ${frame.and} or ${frame.or}` }
  if (frame.function === 21) return { writes: short(frame.pieces.map(writtenWords).join(' ')) }
  return frame.function === 8 ? { writes: said([frame.data]) } : {}
}

function said(values: readonly (number | boolean)[]): string {
  const word = (value: number | boolean) =>
    typeof value === 'number' ? String(value) : value ? 'on' : 'off'
  return short(values.map(word).join(' '))
}

function writtenWords({ file, record, values }: Written): string {
  return `${file}:${record}=${values.join(',')}`
}

function pieceWords({ file, record, count }: { file: number; record: number; count: number }) {
  return `${file}:${record}+${count}`
}

function eventsOf(answer: { readonly status: number; readonly events?: number }): Told {
  const { status, events } = answer
  return events === undefined ? { status } : { status, events }
}

function identityOf(objects: readonly { readonly id: number; readonly text: Uint8Array }[]): Told {
  return Object.fromEntries(
    objects.map(({ id, text }) => [
      identityNames[id] ?? `object_${id}`,
      short(String.fromCharCode(...text).replace(/[^ -~]/g, '.')),
    ]),
  )
}

function hex(bytes: Uint8Array): string {
  return short([...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(''))
}

/** A text of a reading has so many letters at most. */
function short(text: string): string {
  return text.length <= textMax ? text : `${text.slice(0, textMax - 1)}…`
}

const textMax = 64
