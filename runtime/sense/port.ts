/** The one door to serial ports. */
import { readdir } from 'node:fs/promises'
import { SerialPort } from 'serialport'
import { fault } from '../faults.ts'
import type { Serial } from './driver.ts'
import type { PortInfo } from './machine.ts'

export type { PortInfo } from './machine.ts'

/** An open line to a sensor. Injected wherever it is used; runtime/sense/mock.ts is the other one. */
export type Port = {
  /** Called with every chunk of bytes, from now on; nothing is read before. */
  onData(take: (chunk: Uint8Array) => void): void
  /** Resolves when the bytes have left for the line; rejects when they can not. */
  write(bytes: Uint8Array): Promise<void>
  /**
   * Resolves when the line runs at this rate: behind all that was written before, ahead of what is written
   * after. Rejects when the port can not do it, and the rate is what it was.
   */
  setRate(baudRate: number): Promise<void>
  /** Resolves once the line is down: with an error when it was not `close` that did it. Never rejects. */
  readonly closed: Promise<Error | undefined>
  close(): Promise<void>
}

export type OpenPort = (line: { readonly path: string } & Serial) => Promise<Port>

/** Opens a serial line and drops what had gathered in it before. Throws the fault PORT_UNREADABLE. */
export const openPort: OpenPort = async ({ path, ...serial }) => {
  const port = new SerialPort({ path, ...serial, autoOpen: false })
  await settled((done) => port.open(done)).catch((error) => openLocked(port, error))
  // A hang-up comes as `close` with an error; what comes as `error` is answered by closing.
  const closed = new Promise<Error | undefined>((down) => {
    port.once('close', (error?: Error) => down(error ?? undefined))
    port.once('error', (error) => port.close(() => down(error)))
  })
  await new Promise<void>((done) => port.flush(() => done()))
  return {
    closed,
    onData: (take) => void port.on('data', (chunk: Buffer) => take(chunk)),
    ...writer(port, serial),
    async close() {
      if (port.isOpen) port.close()
      await closed
    },
  }
}

/**
 * Once more, a few times, where the lock of a port was refused: a read of its last life may still be on its
 * way out, and holds the lock until then. Throws the fault PORT_UNREADABLE.
 */
async function openLocked(port: SerialPort, refused: Error, triesLeft = lockTries): Promise<void> {
  const { message } = refused
  if (triesLeft === 0 || !/\block\b/.test(message)) {
    throw fault('PORT_UNREADABLE', { path: port.path, why: plainly(message, port.path) }, refused)
  }
  await new Promise((done) => setTimeout(done, lockWaitMs))
  await settled((done) => port.open(done)).catch((error) => openLocked(port, error, triesLeft - 1))
}

/** What the library says of a port that it cannot open, without what is said already, and as a person would. */
function plainly(message: string, path: string): string {
  if (/Cannot lock port/.test(message)) return 'another program has locked it'
  if (/Inappropriate ioctl/.test(message)) return 'it is no serial port'
  return message.replace(/^Error:? /, '').replace(`, cannot open ${path}`, '')
}

/** Somebody else's lock is there for longer. */
const lockTries = 5
const lockWaitMs = 50

/** Bytes and changes of the rate, one behind the other. */
function writer(port: SerialPort, serial: Serial): Pick<Port, 'write' | 'setRate'> {
  const { dataBits = 8, parity = 'none', stopBits = 1 } = serial
  const characterBits = 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits
  let { baudRate } = serial
  let leftMs = 0
  let turned: Promise<void> = Promise.resolve()

  async function write(bytes: Uint8Array) {
    await turned
    leftMs = Math.max(leftMs, performance.now()) + (bytes.length * characterBits * 1000) / baudRate
    await settled((done) => port.write(Buffer.from(bytes), done))
  }

  async function change(next: number) {
    // A closed one would wait to be opened.
    if (!port.isOpen) throw new Error('the port is closed')
    await settled((done) => port.drain(done))
    // Many an adapter says that all is out while it still holds some: not before it can have left.
    const waitMs = Math.ceil(leftMs - performance.now())
    if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs + adapterMs))
    await settled((done) => port.update({ baudRate: next }, done))
    baudRate = next
  }

  function setRate(next: number) {
    const changed = turned.then(() => change(next))
    turned = changed.catch(() => {})
    return changed
  }
  return { write, setRate }
}

/** From a write to the first bit on the line, over USB. */
const adapterMs = 5

function settled(start: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((done, fail) => start((error) => (error ? fail(error) : done())))
}

/** The serial ports of a machine whose kernel lists none in /sys. */
export async function listPorts(): Promise<PortInfo[]> {
  const ports = await SerialPort.list().catch(() => undefined)
  if (ports === undefined) {
    const names = await readdir('/dev')
    return names.filter((name) => serialName.test(name)).map((name) => ({ path: `/dev/${name}` }))
  }
  return ports.map(({ path, manufacturer, serialNumber, vendorId, productId }) => ({
    path,
    ...(manufacturer !== undefined && { maker: manufacturer }),
    ...(serialNumber !== undefined && { serialNumber }),
    ...(vendorId !== undefined && { vendor: vendorId }),
    ...(productId !== undefined && { product: productId }),
  }))
}

/** USB adapters, modems on USB, and the UARTs of Raspberry Pi and Jetson. */
const serialName = /^tty(USB|ACM|AMA|THS)\d+$/
