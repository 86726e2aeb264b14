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
  /** Resolves once the line is down: with an error when it was not `close` that did it. Never rejects. */
  readonly closed: Promise<Error | undefined>
  close(): Promise<void>
}

export type OpenPort = (line: { readonly path: string } & Serial) => Promise<Port>

/** Opens a serial line and drops what had gathered in it before. Throws the fault PORT_UNREADABLE. */
export const openPort: OpenPort = async ({ path, ...serial }) => {
  const port = new SerialPort({ path, ...serial, autoOpen: false })
  await new Promise<void>((done, fail) => {
    port.open((error) => {
      if (error) fail(fault('PORT_UNREADABLE', { path, why: error.message }, error))
      else done()
    })
  })
  // A hang-up comes as `close` with an error; what comes as `error` is answered by closing.
  const closed = new Promise<Error | undefined>((down) => {
    port.once('close', (error?: Error) => down(error ?? undefined))
    port.once('error', (error) => port.close(() => down(error)))
  })
  await new Promise<void>((done) => port.flush(() => done()))
  return {
    closed,
    onData: (take) => void port.on('data', (chunk: Buffer) => take(chunk)),
    write: (bytes) =>
      new Promise((done, fail) => {
        port.write(Buffer.from(bytes), (error) => (error ? fail(error) : done()))
      }),
    async close() {
      if (port.isOpen) port.close()
      await closed
    },
  }
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
