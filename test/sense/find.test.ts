import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { namedPorts, namePort, portAt } from '../../runtime/sense/find.ts'
import type { Links, PortInfo } from '../../runtime/sense/machine.ts'
import { ignoreRule } from '../../runtime/sense/udev.ts'

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
  assert.deepEqual(named.remarks, [])
})

test('two adapters with one id are named by their sockets, and the reason is told', () => {
  for (const port of [usb0, usb1]) {
    const named = namePort(port, [usb0, usb1, acm0], links)
    assert.match(named.path, /by-path/)
    assert.match(named.remarks[0] ?? '', /same id/)
  }
})

test('without udev a port keeps the name it has', () => {
  const none = { byId: new Map(), byPath: new Map() }
  assert.equal(namePort(usb0, [usb0], none).path, '/dev/ttyUSB0')
  assert.match(namePort(usb0, [usb0, usb1], none).remarks[0] ?? '', /which is which/)
})

const root = await mkdtemp(join(tmpdir(), 'wayside-ports-'))
after(() => rm(root, { recursive: true }))

test('ports, their names and who has them open are read from the files of the machine', async () => {
  for (const [i, socket] of ['1-1', '1-2'].entries()) {
    const usb = `/sys/devices/usb1/${socket}`
    await put(`${usb}/idVendor`, '1a86\n')
    await put(`${usb}/idProduct`, '7523\n')
    await link(`/sys/class/tty/ttyUSB${i}/device`, `${usb}/${socket}:1.0/ttyUSB${i}`)
    await link(`/dev/serial/by-path/usb-0:${socket}`, undefined, `../../ttyUSB${i}`)
  }
  await put('/sys/devices/usb1/1-3/idVendor', '1546\n')
  await put('/sys/devices/usb1/1-3/manufacturer', 'u-blox AG\n')
  await link('/sys/class/tty/ttyACM0/device', '/sys/devices/usb1/1-3/1-3:1.0')
  await link('/dev/serial/by-id/usb-u-blox', undefined, '../../ttyACM0')
  // A console has no hardware; a UART of type 0 is not there; one of type 4 is.
  await put('/sys/class/tty/tty1/dev', '4:1')
  for (const [name, type] of Object.entries({ ttyS0: '4', ttyS1: '0' })) {
    await link(`/sys/class/tty/${name}/device`, '/sys/devices/platform/serial8250')
    await put(`/sys/class/tty/${name}/type`, `${type}\n`)
  }
  await put('/proc/41/comm', 'gpsd\n')
  await link('/proc/41/fd/7', undefined, '/dev/ttyACM0')
  await link('/proc/41/fd/8', undefined, '/dev/ttyACM0')
  await put('/proc/42/comm', 'minicom\n')
  await put('/run/lock/LCK..ttyUSB1', '        42\n')
  await put('/run/lock/LCK..ttyUSB0', '        43\n')

  const ports = await namedPorts(root)
  assert.deepEqual(
    ports.map(({ path, device, named }) => [device, named, path]),
    [
      ['/dev/ttyACM0', 'by id', '/dev/serial/by-id/usb-u-blox'],
      ['/dev/ttyS0', 'as is', '/dev/ttyS0'],
      ['/dev/ttyUSB0', 'by path', '/dev/serial/by-path/usb-0:1-1'],
      ['/dev/ttyUSB1', 'by path', '/dev/serial/by-path/usb-0:1-2'],
    ],
  )
  const remarks = Object.fromEntries(ports.map((port) => [port.device, port.remarks]))
  assert.deepEqual(remarks['/dev/ttyACM0'], ['gpsd (pid 41) has it open'])
  assert.deepEqual(remarks['/dev/ttyS0'], [])
  assert.equal(remarks['/dev/ttyUSB0']?.length, 1, 'the lock of a process that ended means nothing')
  assert.equal(remarks['/dev/ttyUSB1']?.[1], 'minicom (pid 42) has it open')
  assert.equal(ports[0]?.maker, 'u-blox AG')
})

test('of a program in a language that runs scripts the script is named', async () => {
  await put('/proc/60/comm', 'MainThread\n')
  await put('/proc/60/cmdline', '/usr/bin/node\0--no-warnings\0/opt/wayside/bin/wayside.js\0run\0')
  await put('/proc/61/comm', 'python3\n')
  for (const pid of [60, 61]) await link(`/proc/${pid}/fd/9`, undefined, '/dev/ttyS0')
  const port = (await namedPorts(root)).find(({ device }) => device === '/dev/ttyS0')
  assert.deepEqual(port?.remarks, [
    'node wayside.js (pid 60) has it open',
    'python3 (pid 61) has it open',
  ])
})

test('what a program or an adapter is called stays on one line', async () => {
  await put('/proc/62/comm', 'bash\n')
  await put('/proc/62/cmdline', 'bash\0/tmp/x\n  - name: mine\u001b[2J\0')
  await link('/proc/62/fd/3', undefined, '/dev/ttyUSB1')
  await put('/sys/devices/usb1/1-2/manufacturer', `A\u0007${'B'.repeat(500)}\n`)
  const port = (await namedPorts(root)).find(({ device }) => device === '/dev/ttyUSB1')
  assert.ok(port?.remarks.includes('bash x?  - name: mine?[2J (pid 62) has it open'))
  assert.equal(port?.maker, `A?${'B'.repeat(78)}`)
})

test('the two ports of one adapter are no twins, those of two adapters with one number are', () => {
  const ftdi = { vendor: '0403', product: '6010', serialNumber: 'FT1' }
  const port = (n: number, usb: string): PortInfo => ({ path: `/dev/ttyUSB${n}`, ...ftdi, usb })
  const [first, second, other] = [port(0, '1-1'), port(1, '1-1'), port(2, '1-2')]
  const names = {
    byId: new Map([
      ['/dev/serial/by-id/usb-FTDI_Dual_FT1-if00-port0', first.path],
      ['/dev/serial/by-id/usb-FTDI_Dual_FT1-if01-port0', second.path],
    ]),
    byPath: new Map([['/dev/serial/by-path/usb-0:1:1.0-port0', first.path]]),
  }
  const alone = namePort(first, [first, second], names)
  assert.deepEqual([alone.named, alone.remarks], ['by id', []])
  assert.equal(namePort(first, [first, second, other], names).named, 'by path')
})

test('of two links to one port always the same is taken', async () => {
  // Newer releases of udev keep two by-path names of a port: usb- and usbv2-.
  await link('/dev/serial/by-path/usbv2-0:1-1', undefined, '../../ttyUSB0')
  await link('/dev/serial/by-path/a-0:1-1', undefined, '../../ttyUSB0')
  const port = (await namedPorts(root)).find(({ device }) => device === '/dev/ttyUSB0')
  assert.equal(port?.path, '/dev/serial/by-path/a-0:1-1')
})

test('where ModemManager runs, the ports that it may talk to say so, and the line that stops it', async () => {
  await put('/proc/50/comm', 'ModemManager\n')
  const warned = async () => {
    const ports = await namedPorts(root)
    const found = ports.filter(({ remarks }) => remarks.some((one) => /ModemManager/.test(one)))
    return Object.fromEntries(found.map(({ device, remarks }) => [device, remarks.at(-1)]))
  }
  // Where udev keeps nothing nobody knows, and a port that is not of USB is no modem.
  const ch340 = 'ATTRS{idVendor}=="1a86", ATTRS{idProduct}=="7523", ENV{ID_MM_DEVICE_IGNORE}="1"'
  const gnss = 'ATTRS{idVendor}=="1546", ATTRS{serial}=="A5-1.x", ENV{ID_MM_DEVICE_IGNORE}="1"'
  await put('/sys/devices/usb1/1-3/serial', 'A5-1.x\n')
  assert.deepEqual(await warned(), {
    '/dev/ttyACM0': gnss,
    '/dev/ttyUSB0': ch340,
    '/dev/ttyUSB1': ch340,
  })
  await put('/sys/class/tty/ttyUSB0/dev', '188:0\n')
  await put('/sys/class/tty/ttyUSB1/dev', '188:1\n')
  await put('/sys/class/tty/ttyACM0/dev', '166:0\n')
  await put('/sys/devices/usb1/1-3/dev', '189:7\n')
  const head = 'S:serial/by-id/usb-x\nI:5166\nE:ID_VENDOR_ID=1a86\n'
  await put('/run/udev/data/c188:0', `${head}E:ID_MM_CANDIDATE=1\nG:systemd\n`)
  await put('/run/udev/data/c188:1', `${head}E:ID_MM_CANDIDATE=1\nE:ID_MM_PORT_IGNORE=1\n`)
  await put('/run/udev/data/c166:0', `${head}E:ID_MM_CANDIDATE=1\n`)
  await put('/run/udev/data/c189:7', 'E:ID_MM_DEVICE_IGNORE=1\n')
  assert.deepEqual(await warned(), { '/dev/ttyUSB0': ch340 })
  await put('/run/udev/data/c189:7', 'E:ID_MM_DEVICE_IGNORE=0\n')
  await put('/run/udev/data/c188:0', head)
  assert.deepEqual(Object.keys(await warned()), ['/dev/ttyACM0'], 'no candidate is not looked at')
})

test('a port may be meant by any of its names, and by a link to it', async () => {
  await put('/dev/ttyACM0', '')
  await put('/dev/pts/3', '')
  await link('/dev/gps', undefined, 'ttyACM0')
  await link('/proc/61/fd/10', undefined, '/dev/pts/3')
  const where = async (path: string) => {
    const port = await portAt(path, await realpath(root))
    return [port.path, port.device, port.named]
  }
  const byId = '/dev/serial/by-id/usb-u-blox'
  assert.deepEqual(await where('/dev/ttyACM0'), [byId, '/dev/ttyACM0', 'by id'])
  assert.deepEqual(await where(byId), [byId, '/dev/ttyACM0', 'by id'])
  assert.deepEqual(await where('/dev/gps'), ['/dev/gps', '/dev/ttyACM0', 'as is'])
  assert.deepEqual(await where('/dev/none'), ['/dev/none', '/dev/none', 'as is'])
  const pty = await portAt('/dev/pts/3', await realpath(root))
  assert.deepEqual(pty.remarks, ['python3 (pid 61) has it open'])
})

test('what a serial number may not say to udev is left out of its line', () => {
  for (const serialNumber of ['A"*', '', 'a b', '?', 'x", RUN+="/bin/sh']) {
    assert.equal(
      ignoreRule({ vendor: '1a86', product: '7523', serialNumber }),
      'ATTRS{idVendor}=="1a86", ATTRS{idProduct}=="7523", ENV{ID_MM_DEVICE_IGNORE}="1"',
    )
  }
})

async function put(path: string, text: string) {
  await mkdir(join(root, dirname(path)), { recursive: true })
  await writeFile(join(root, path), text)
}

/** A link to a folder of this tree, or to a text as the kernel and udev write it. */
async function link(path: string, folder: string | undefined, text = '') {
  await mkdir(join(root, dirname(path)), { recursive: true })
  if (folder !== undefined) await mkdir(join(root, folder), { recursive: true })
  await symlink(folder === undefined ? text : join(root, folder), join(root, path))
}
