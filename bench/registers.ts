/**
 * Polls per CPU second: our Modbus driver against modbus-serial, the package that most of npm uses.
 *
 * Both ask one slave for one float in two input registers, 40,000 times, over one kind of port in memory that
 * answers at once and whole. A poll is the turn and the question, the port's write and event, the answer cut
 * and its CRC held against it, and the voltage looked at.
 *
 * The work is alike, not the same. Ours keeps its pace and its breaker, cuts the answer out of a stream (it
 * may come in pieces or behind noise), reads the float by the table of a profile and says it by name, with
 * its doubts; grouping into readings comes behind it and is not in here. modbus-serial takes a chunk for an
 * answer, hands back a list of registers and the bytes, and resolves a promise, which is how it is used; the
 * float is read by its user. Neither sets a timer for an answer that never comes: ours leaves that to the
 * line (runtime/sense/bus.ts), modbus-serial does when it is told a time-out, and is then slower. A sixth of
 * its time goes into counting two CRCs bit by bit, another part into the promise.
 *
 * `npm ci --prefix bench/peers` installs it; left out by name where it is not.
 */
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { modbus } from '../drivers/modbus/index.ts'
import { decoder } from '../runtime/sense/decoder.ts'
import { readOptions } from '../runtime/sense/options.ts'
import type { Figure } from './figure.ts'

const polls = 40_000
const rounds = 5
/** 230.2 V, as an Eastron meter says it. */
const reply = Buffer.from('01040443663334' + '1b38', 'hex')

export async function bench(): Promise<Figure[]> {
  const peer = openPeer()
  let [our, their] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < rounds; round += 1) {
    our = Math.min(our, await cpuSeconds(async () => ours()))
    if (peer !== undefined) their = Math.min(their, await cpuSeconds(() => theirs(peer)))
  }
  const rate = (name: string, seconds: number): Figure => ({
    name: `Modbus polls per CPU second, ${name}`,
    value: polls / seconds,
    unit: '1/s',
    goal: 'published',
  })
  if (peer === undefined) return [rate('ours', our)]
  const name = 'Modbus, ours over modbus-serial'
  const ratio = { name, value: their / our, unit: 'times', goal: 'aim 2' }
  return [rate('ours', our), rate('modbus-serial', their), ratio]
}

function ours(): void {
  const table = {
    title: 'one float',
    blocks: [
      {
        function: 4,
        address: 0,
        count: 2,
        fields: { V: { title: 'voltage', address: 0, type: 'f32', unit: 'V' } },
      },
    ],
  }
  const options = readOptions(modbus, { profile: table, every: '50ms' })
  const driver = modbus.under?.(options) ?? modbus
  const work = decoder(driver, options)
  const port = new InMemory()
  let read = 0
  port.on('data', (chunk: Uint8Array) => {
    for (const { said } of work.push(chunk)) {
      if (!said.ok) throw new Error(said.doubt)
      look(Number(said.values.V))
      read += 1
    }
  })
  for (let nowMs = 0; read < polls; nowMs += 50) {
    const send = work.ask(nowMs)?.send
    if (send !== undefined) port.write(send)
  }
}

function look(voltage: number): void {
  if (!(Math.abs(voltage - 230.2) < 0.001)) throw new Error('it read something else')
}

type Peer = {
  setID(unit: number): void
  open(done: () => void): void
  readInputRegisters(address: number, count: number): Promise<{ buffer: Buffer }>
}

async function theirs(peer: Peer): Promise<void> {
  for (let read = 0; read < polls; read += 1) {
    const { buffer } = await peer.readInputRegisters(0, 2)
    look(buffer.readFloatBE(0))
  }
}

function openPeer(): Peer | undefined {
  const peers = createRequire(new URL('./peers/package.json', import.meta.url))
  try {
    const Client = peers('modbus-serial')
    const peer: Peer = new Client(new InMemory())
    peer.setID(1)
    peer.open(() => {})
    return peer
  } catch (error) {
    console.error(`modbus-serial is left out: ${(error as Error).message.split('\n')[0]}`)
    return undefined
  }
}

/** A port whose slave answers while it is asked. */
class InMemory extends EventEmitter {
  isOpen = true
  open(done: (error: null) => void): void {
    done(null)
  }
  write(_question: Uint8Array): void {
    this.emit('data', reply)
  }
}

async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
