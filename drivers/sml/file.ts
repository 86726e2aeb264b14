/**
 * The messages of a file of SML, and the lists of values among them:
 *
 *   message   transaction, group, abort on error, body, CRC, end
 *   body      101 open, 701 list of values, 201 close, …; and what it holds
 *   list      client, server id, name of the list, time, entries, signature, time of the gateway
 *   entry     OBIS code, status, time, unit, scaler, value, signature
 *
 * A time is a choice: 1 seconds of the meter's own count, 2 seconds since 1970, 3 the same with minutes of
 * local time beside it. Meters get it wrong: Holley's DTZ541 sends the bare number, Froetec's a list as 2.
 *
 * The CRC of a message is told, not held: that of the file is right, and covers every byte of it. Captures
 * whose owner blanked the server id have such messages, and so may a meter that counts them another way.
 *
 * Source: "Smart Message Language" 1.04 §5.
 */

import { checks } from './transport.ts'
import { type List, type Node, readNode } from './tree.ts'

export type ValueList = {
  readonly server?: Uint8Array
  readonly time?: Time
  readonly entries: readonly Entry[]
}

export type Entry = {
  /** Six bytes, A to F. */
  readonly code: Uint8Array
  readonly status?: bigint
  readonly time?: Time
  readonly unit?: number
  readonly scaler: number
  readonly value: Node
}

/** Seconds of the meter's own count, or since 1970. */
export type Time = { readonly index: number } | { readonly unix: number }

/** The lists of a file, and whether the CRC of each message is right; or why it is none. */
export function listsOf(
  content: Uint8Array,
): { readonly lists: readonly ValueList[]; readonly intact: boolean } | string {
  const lists: ValueList[] = []
  let intact = true
  for (let at = 0; at < content.length; ) {
    // Zeros behind the last message, more than were said.
    if (content[at] === 0) {
      at += 1
      continue
    }
    const found = readNode(content, at)
    if (found === undefined || found.node.kind !== 'list') return 'no SML in the frame'
    const { node, end } = found
    const [, , , body, sum] = node.items
    if (node.items.length !== 6 || sum?.kind !== 'whole') return 'no SML in the frame'
    const covered = content.subarray(node.from, node.ends[3])
    if (!checks(covered, Number(sum.value))) intact = false
    const list = body?.kind === 'list' ? listOf(body) : undefined
    if (list !== undefined) lists.push(list)
    at = end
  }
  return { lists, intact }
}

const getListResponse = 0x701n

function listOf({ items: [tag, response] }: List): ValueList | undefined {
  if (tag?.kind !== 'whole' || tag.value !== getListResponse) return undefined
  if (response?.kind !== 'list') return undefined
  const [, server, , sensorTime, values] = response.items
  if (values?.kind !== 'list') return undefined
  const time = timeOf(sensorTime)
  return {
    ...(server?.kind === 'bytes' && server.bytes.length > 0 ? { server: server.bytes } : {}),
    ...(time === undefined ? {} : { time }),
    entries: values.items.flatMap((item) => (item.kind === 'list' ? entryOf(item.items) : [])),
  }
}

function entryOf(items: readonly Node[]): Entry[] {
  const [code, status, time, unit, scaler, value] = items
  if (code?.kind !== 'bytes' || code.bytes.length !== 6 || value === undefined) return []
  const at = timeOf(time)
  return [
    {
      code: code.bytes,
      ...(status?.kind === 'whole' ? { status: status.value } : {}),
      ...(at === undefined ? {} : { time: at }),
      ...(unit?.kind === 'whole' ? { unit: Number(unit.value) } : {}),
      scaler: scaler?.kind === 'whole' ? Number(scaler.value) : 0,
      value,
    },
  ]
}

function timeOf(node: Node | undefined): Time | undefined {
  if (node?.kind === 'whole') return { index: Number(node.value) }
  if (node?.kind !== 'list' || node.items.length !== 2) return undefined
  const [choice, told] = node.items
  if (choice?.kind !== 'whole') return undefined
  if (told?.kind === 'list') {
    const [stamp] = told.items
    return stamp?.kind === 'whole' ? { unix: Number(stamp.value) } : undefined
  }
  if (told?.kind !== 'whole') return undefined
  return choice.value === 1n ? { index: Number(told.value) } : { unix: Number(told.value) }
}
