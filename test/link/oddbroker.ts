/**
 * A broker in raw bytes (MQTT 3.1.1 §2, MQTT 5 §2), for what no real one can be told to do: it lets everybody
 * in, acknowledges everything, and does otherwise where a test says so.
 */

import { isUtf8 } from 'node:buffer'
import { createServer, type Socket } from 'node:net'

export type Odd = {
  readonly url: string
  /** Publishes that came, the oldest first; from every line. */
  readonly published: readonly Published[]
  /** Lines that were made. */
  lines(): number
}

export type Published = {
  readonly topic: string
  readonly bytes: number
  readonly line: number
  readonly id: number
}

/** What it does at a packet; what it does not name is answered as every broker does. */
export type Oddities = {
  connect?(line: Line): void
  publish?(line: Line, published: Published): void
  subscribe?(line: Line, id: number): void
}

export type Line = {
  readonly number: number
  send(...bytes: readonly number[]): void
  hangUp(): void
}

/** Speaks 3.1.1, or 5 without properties; ends with the test. */
export async function startOdd(
  t: { after(fn: () => Promise<void>): void },
  version: '3.1.1' | '5',
  odd: Oddities = {},
): Promise<Odd> {
  const published: Published[] = []
  const sockets = new Set<Socket>()
  let lines = 0
  const server = createServer((socket) => {
    lines += 1
    sockets.add(socket)
    const line = {
      number: lines,
      send: (...bytes: readonly number[]) => void socket.write(Uint8Array.from(bytes)),
      hangUp: () => void socket.end(),
    }
    let rest = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (part) => {
      rest = Buffer.concat([rest, part])
      for (let packet = cut(rest); packet !== undefined; packet = cut(rest)) {
        rest = rest.subarray(packet.length)
        if (!socket.writableEnded) answer(line, packet)
      }
    })
  })

  function answer(line: Line, packet: Buffer): void {
    const [type, body] = [(packet[0] as number) >> 4, bodyOf(packet)]
    if (type === types.connect) (odd.connect ?? letIn)(line)
    if (type === types.subscribe) {
      const id = body.readUInt16BE(0)
      if (odd.subscribe !== undefined) odd.subscribe(line, id)
      else if (version === '5') line.send(0x90, 4, id >> 8, id & 255, 0, 1)
      else line.send(0x90, 3, id >> 8, id & 255, 1)
    }
    if (type === types.ping) line.send(0xd0, 0)
    if (type !== types.publish) return
    const end = 2 + body.readUInt16BE(0)
    const topic = body.subarray(2, end)
    const found = { topic: isUtf8(topic) ? `${topic}` : '', bytes: body.length - end - 2 }
    const one = { ...found, line: line.number, id: body.readUInt16BE(end) }
    published.push(one)
    if (odd.publish !== undefined) odd.publish(line, one)
    else acknowledge(line, one)
  }

  function letIn(line: Line): void {
    if (version === '5') line.send(0x20, 3, 0, 0, 0)
    else line.send(0x20, 2, 0, 0)
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  })
  const { port } = server.address() as { port: number }
  return { url: `mqtt://127.0.0.1:${port}`, published, lines: () => lines }
}

/** A PUBACK, of either version. */
export function acknowledge(line: Line, { id }: Pick<Published, 'id'>): void {
  line.send(0x40, 2, id >> 8, id & 255)
}

const types = { connect: 1, publish: 3, subscribe: 8, ping: 12 }

/** The first packet of these bytes, if it is whole. */
function cut(bytes: Buffer): Buffer | undefined {
  const head = headOf(bytes)
  if (head === undefined || bytes.length < head.head + head.length) return undefined
  return bytes.subarray(0, head.head + head.length)
}

function bodyOf(packet: Buffer): Buffer {
  return packet.subarray(headOf(packet)?.head)
}

function headOf(bytes: Buffer): { readonly head: number; readonly length: number } | undefined {
  let length = 0
  for (let i = 1; i < Math.min(bytes.length, 5); i += 1) {
    const byte = bytes[i] as number
    length += (byte & 127) * 128 ** (i - 1)
    if (byte < 128) return { head: i + 1, length }
  }
  return undefined
}
