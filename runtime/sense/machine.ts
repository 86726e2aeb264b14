/**
 * What this machine says of its serial ports: the kernel's list, the names that udev keeps, and who else is
 * there. All of it is read from files, so that a test may bring its own tree.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type ModemTag, modemTag } from './udev.ts'

/** Where the trees of the machine are; '' is its own. */
export type Root = string

/** One serial port as the kernel knows it. */
export type PortInfo = {
  readonly path: string
  readonly maker?: string
  readonly serialNumber?: string
  /** Of a USB adapter, four hex digits each. */
  readonly vendor?: string
  readonly product?: string
  /** Which device of USB it is a part of, as the kernel calls it by its socket: `1-1.2`. */
  readonly usb?: string
  /** What udev has let ModemManager know of it. */
  readonly modem?: ModemTag
}

/** Symbolic links that udev keeps: link → the port it points to. */
export type Links = { readonly byId: ReadonlyMap<string, string>; readonly byPath: Links['byId'] }

/** Who else has to do with serial ports. */
export type Others = {
  /** Port → who has it open or has locked it, as far as this user may see. */
  readonly holders: ReadonlyMap<string, readonly Holder[]>
  /** ModemManager runs: it opens new ports and says AT commands to see whether they are modems. */
  readonly modemManager: boolean
}

export type Holder = { readonly pid: number; readonly name: string }

/** The ports that have hardware behind them, by name; undefined where the kernel shows no such list. */
export async function kernelPorts(root: Root = ''): Promise<PortInfo[] | undefined> {
  const folder = join(root, '/sys/class/tty')
  const names = await readdir(folder).catch(() => undefined)
  if (names === undefined) return undefined
  const found = await Promise.all(
    names.sort(byNumber).map((name) => kernelPort(root, join(folder, name))),
  )
  return found.filter((port) => port !== undefined)
}

export async function portLinks(root: Root = ''): Promise<Links> {
  const [byId, byPath] = await Promise.all(
    ['by-id', 'by-path'].map((kind) => readLinks(root, `/dev/serial/${kind}`)),
  )
  return { byId: byId ?? new Map(), byPath: byPath ?? new Map() }
}

/** What this path is in the end, when all links are followed; itself where it is not there. */
export async function realDevice(path: string, root: Root = ''): Promise<string> {
  const found = await realpath(join(root, path)).catch(() => undefined)
  return found === undefined ? path : found.slice(root.length)
}

/** Looks through the open files of every process that it may look into, and the locks of older programs. */
export async function othersAt(ports: readonly PortInfo[], root: Root = ''): Promise<Others> {
  const holders = new Map<string, Holder[]>()
  const paths = new Set(ports.map(({ path }) => path))
  const note = (path: string, holder: Holder) => {
    const known = holders.get(path) ?? []
    if (!known.some(({ pid }) => pid === holder.pid)) holders.set(path, [...known, holder])
  }
  const processes = (await names(join(root, '/proc'))).filter((name) => /^\d+$/.test(name))
  let modemManager = false
  for (const pid of processes) {
    const name = await text(join(root, '/proc', pid, 'comm'))
    if (name === 'ModemManager') modemManager = true
    for (const path of await openFiles(join(root, '/proc', pid, 'fd'))) {
      if (paths.has(path)) note(path, { pid: Number(pid), name: await programOf(root, pid) })
    }
  }
  for (const path of paths) {
    const lock = await text(join(root, '/run/lock', `LCK..${basename(path)}`))
    const [pid = ''] = lock?.trim().split(/\s+/) ?? []
    // The lock of a process that has ended means nothing.
    if (processes.includes(pid)) note(path, { pid: Number(pid), name: await programOf(root, pid) })
  }
  return { holders, modemManager }
}

async function kernelPort(root: Root, folder: string): Promise<PortInfo | undefined> {
  const device = await realpath(join(folder, 'device')).catch(() => undefined)
  if (device === undefined) return undefined
  // A UART that its driver has room for but that is not there is of type 0.
  if ((await text(join(folder, 'type'))) === '0') return undefined
  const path = `/dev/${basename(folder)}`
  const usb = await usbAbove(device)
  if (usb === undefined) return { path }
  const [maker, serialNumber, vendor, product] = await Promise.all(
    ['manufacturer', 'serial', 'idVendor', 'idProduct'].map((name) => text(join(usb, name))),
  )
  return {
    path,
    ...(maker !== undefined && { maker: printable(maker) }),
    ...(serialNumber !== undefined && { serialNumber }),
    ...(vendor !== undefined && { vendor }),
    ...(product !== undefined && { product }),
    ...{ usb: basename(usb), modem: await modemTag(folder, usb, root) },
  }
}

/** The folder of the USB device of which this is a part; nothing when it is none. */
async function usbAbove(device: string): Promise<string | undefined> {
  let folder = device
  for (let level = 0; level < levelsMax; level += 1) {
    if ((await text(join(folder, 'idVendor'))) !== undefined) return folder
    folder = dirname(folder)
  }
  return undefined
}

/** From a port of a USB adapter up to the adapter: port, interface, device. */
const levelsMax = 4

/** What the links in this folder point to; none when the folder is not there. */
async function readLinks(root: Root, folder: string): Promise<Map<string, string>> {
  const pairs = (await names(join(root, folder))).map(async (name): Promise<[string, string]> => {
    const target = await readlink(join(root, folder, name)).catch(() => name)
    return [join(folder, name), join(folder, target)]
  })
  return new Map(await Promise.all(pairs))
}

/** What a person would call this process: of a language that runs scripts, the script too. */
async function programOf(root: Root, pid: string): Promise<string> {
  const name = (await text(join(root, '/proc', pid, 'comm'))) ?? '?'
  if (!interpreters.test(name)) return printable(name)
  const line = (await text(join(root, '/proc', pid, 'cmdline'))) ?? ''
  const [program = '', ...args] = line.split('\0')
  const script = args.find((arg) => arg !== '' && !arg.startsWith('-')) ?? ''
  const words = [program, script].map((path) => basename(path)).filter((word) => word !== '')
  return printable(words.join(' ') || name)
}

/** Node calls its main thread so. */
const interpreters = /^(MainThread|node|python[\d.]*|perl|ruby|java|sh|bash)$/

async function openFiles(folder: string): Promise<string[]> {
  const found = (await names(folder)).map((name) => readlink(join(folder, name)).catch(() => ''))
  return Promise.all(found)
}

async function names(folder: string): Promise<string[]> {
  // In order: of two links to one port always the same is taken.
  return (await readdir(folder).catch(() => [])).sort()
}

/** What stands in this file, without white space around it; undefined when it can not be read. */
async function text(path: string): Promise<string | undefined> {
  const found = await readFile(path, 'utf8').catch(() => undefined)
  return found?.trim()
}

/** On one line: an adapter or a program may be called anything, and what it is called is printed. */
function printable(name: string): string {
  return name.replace(/\p{C}/gu, '?').slice(0, nameMost)
}

const nameMost = 80

/** ttyUSB2 before ttyUSB10. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
