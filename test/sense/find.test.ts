import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drivers } from '../../drivers/index.ts'
import { modbus } from '../../drivers/modbus/index.ts'
import { fingerprint, type Links, namePort } from '../../runtime/sense/find.ts'
import { mockPort } from '../../runtime/sense/mock.ts'
import type { OpenPort, PortInfo } from '../../runtime/sense/port.ts'
import { sentence } from '../drivers/bench.ts'

const ch340 = { vendor: '1a86', product: '7523' }
const usb0: PortInfo = { path: '/dev/ttyUSB0', ...ch340 }
const usb1: PortInfo = { path: '/dev/ttyUSB1', ...ch340 }
const acm0: PortInfo = { path: '/dev/ttyACM0', vendor: '1546', product: '01a7', maker: 'u-blox' }
const links: Links = {
  byId: new Map([
    ['/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0', usb1.path],
    ['/dev/serial/by-id/usb-u-blox_7-if00', acm0.path],
  ]),
  byPath: new Map([
    ['/dev/serial/by-path/usb-0:1.1:1.0-port0', usb0.path],
    ['/dev/serial/by-path/usb-0:1.2:1.0-port0', usb1.path],
  ]),
}

test('a port is named by its id when nobody else has it', () => {
  const named = namePort(acm0, [usb0, usb1, acm0], links)
  assert.equal(named.path, '/dev/serial/by-id/usb-u-blox_7-if00')
  assert.equal(named.device, '/dev/ttyACM0')
  assert.equal(named.named, 'by id')
})

test('two adapters with one id are named by their sockets, and the reason is told', () => {
  for (const port of [usb0, usb1]) {
    const named = namePort(port, [usb0, usb1, acm0], links)
    assert.match(named.path, /by-path/)
    assert.match(named.remark ?? '', /same id/)
  }
})

test('without udev a port keeps the name it has', () => {
  const none = { byId: new Map(), byPath: new Map() }
  assert.equal(namePort(usb0, [usb0], none).path, '/dev/ttyUSB0')
  assert.match(namePort(usb0, [usb0, usb1], none).remark ?? '', /check which/)
})

test('the driver that understands is found, at the speed at which it does', async () => {
  const port = mockPort()
  // A receiver at 4800 baud: at any other speed its bytes are garbage.
  const open: OpenPort = async (line) => {
    const opened = await port.open(line)
    const text = line.baudRate === 4800 ? sentence('GPHDT,123.456,T').repeat(2) : '\u0000\u0080x'
    setTimeout(() => port.say(Buffer.from(text)), 5)
    return opened
  }
  const { signal } = new AbortController()
  const found = await fingerprint({ path: '/dev/x', drivers, open, listenMs: 30, signal })
  assert.deepEqual([found?.driver.id, found?.baudRate, found?.frames], ['nmea0183', 4800, 2])
})

test('a line of somebody else is known by its talk, and nothing is asked on it', async () => {
  const port = mockPort()
  const open: OpenPort = async (line) => {
    const opened = await port.open(line)
    const talk = Buffer.from('1103007c00020743110304008d008efbbd'.repeat(2), 'hex')
    setTimeout(() => port.say(talk), 5)
    return opened
  }
  const { signal } = new AbortController()
  const line = { path: '/dev/x', drivers: [modbus], open, listenMs: 30, signal }
  const found = await fingerprint(line)
  assert.deepEqual([found?.driver.id, found?.frames], ['modbus', 4])
  assert.deepEqual(port.written, [])
})

test('where nothing is understood nothing is found, and a signal ends the search', async () => {
  const port = mockPort()
  const line = { path: '/dev/x', drivers, open: port.open, listenMs: 5 }
  const { signal } = new AbortController()
  assert.equal(await fingerprint({ ...line, signal }), undefined)
  const before = port.opened.count
  assert.equal(await fingerprint({ ...line, signal: AbortSignal.abort() }), undefined)
  assert.equal(port.opened.count, before)
})
