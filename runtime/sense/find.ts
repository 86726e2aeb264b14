/** Which serial ports there are, what to call them so that the name holds, and what speaks on them. */
import {
  kernelPorts,
  type Links,
  type Others,
  othersAt,
  portLinks,
  type Root,
  realDevice,
} from './machine.ts'
import type { OptionValues } from './options.ts'
import { listPorts, type PortInfo } from './port.ts'
import { type Fingerprint, type Sniffing, sniff } from './sniff.ts'
import { ignoreRule } from './udev.ts'

export type NamedPort = {
  /** The path to write into a config. */
  readonly path: string
  /** What the kernel calls it today. */
  readonly device: string
  readonly maker?: string
  /** Why it is this path: what holds when cables move. */
  readonly named: 'by id' | 'by path' | 'as is'
  /** What a person should know about the choice, and about who else is there. */
  readonly remarks: readonly string[]
}

export type FoundPort = NamedPort & {
  /** The driver, or `driver.model`, that understood what came, how sure that is, and the line's settings. */
  readonly driver?: string
  readonly sure?: Fingerprint['sure']
  readonly baudRate?: number
  readonly parity?: NonNullable<Fingerprint['serial']['parity']>
  /** What the config must say besides, for a sensor that only spoke when it was asked. */
  readonly options?: OptionValues
  /** Intact frames, and the part of all bytes that they are. */
  readonly frames?: number
  readonly share?: number
  /** Why there is no driver, or what it can not make out. */
  readonly trouble?: string
  /** True when the port could not be opened. */
  readonly unopened?: true
}

/** The ports of this machine, each with the name that is safest to write down. */
export async function namedPorts(root?: Root): Promise<NamedPort[]> {
  const ports = (await kernelPorts(root)) ?? (await listPorts())
  const [links, others] = await Promise.all([portLinks(root), othersAt(ports, root)])
  return ports.map((port) => {
    const named = namePort(port, ports, links)
    return { ...named, remarks: [...named.remarks, ...remarksOn(port, others)] }
  })
}

/**
 * The port that a person means by this path: one of the machine's by any of its names, a link of one's own
 * to it, or what nobody lists, such as a pty.
 */
export async function portAt(path: string, root: Root = ''): Promise<NamedPort> {
  const named = await namedPorts(root)
  const real = await realDevice(path, root)
  const listed = named.find((port) => [path, real].includes(port.device) || port.path === path)
  const isOwnLink = listed !== undefined && ![listed.path, listed.device].includes(path)
  if (listed !== undefined) return isOwnLink ? { ...listed, path, named: 'as is' } : listed
  const bare = { path: real }
  return {
    path,
    device: path,
    named: 'as is',
    remarks: remarksOn(bare, await othersAt([bare], root)),
  }
}

/** How to look for sensors, whatever the port. */
export type Search = Omit<Sniffing, 'path' | 'progress'> & {
  /** Told of each attempt, for a person who waits. */
  progress?(path: string, words: string): void
}

/** Listens on this port. A port that cannot be opened has that as its trouble. */
export async function findOn(port: NamedPort, search: Search): Promise<FoundPort> {
  try {
    const found = await sniff({
      ...search,
      path: port.device,
      progress: (words) => search.progress?.(port.path, words),
    })
    if (found === 'silent' || found === undefined) {
      if (search.signal.aborted)
        return { ...port, trouble: 'stopped before anything was understood' }
      const trouble = found === 'silent' ? 'nothing speaks here' : 'no driver understood what came'
      return { ...port, trouble }
    }
    const { name: driver, sure, serial, options, frames, share, doubt } = found
    const { baudRate, parity = 'none' } = serial
    return {
      ...{ ...port, driver, sure, baudRate, parity, frames, share },
      ...(options !== undefined && { options }),
      ...(doubt !== undefined && { trouble: doubt }),
    }
  } catch (error) {
    return { ...port, trouble: whyOf(error), unopened: true }
  }
}

/** What the machine said of it; a fault's own sentence names the port, which stands beside it already. */
function whyOf(error: unknown): string {
  const { message, facts } = error as Error & { readonly facts?: { readonly why?: unknown } }
  return typeof facts?.why === 'string' ? facts.why : message
}

/**
 * A by-id name follows the adapter to another socket, but cheap adapters share one serial number: then two
 * ports fight for one name, and only the socket (by-path) tells them apart.
 */
export function namePort(port: PortInfo, ports: readonly PortInfo[], links: Links): NamedPort {
  const { path: device, maker } = port
  const id = linkTo(links.byId, device)
  const socket = linkTo(links.byPath, device)
  const twin = ports.some((other) => other.path !== device && sameAdapter(other, port))
  const known = { device, ...(maker !== undefined && { maker }) }
  if (id !== undefined && !twin) return { path: id, ...known, named: 'by id', remarks: [] }
  if (!twin) {
    return { path: socket ?? device, ...known, named: socket ? 'by path' : 'as is', remarks: [] }
  }
  if (socket === undefined) {
    const remark = 'another port has the same id: only what speaks there tells which is which'
    return { path: device, ...known, named: 'as is', remarks: [`${remark} (wayside sniff)`] }
  }
  const remark = 'another port has the same id, so it is named by its socket'
  return { path: socket, ...known, named: 'by path', remarks: [remark] }
}

/** Who else may read the bytes that the sensor sends, or talk to it, and what keeps it from doing so. */
function remarksOn(port: PortInfo, { holders, modemManager }: Others): string[] {
  const { path, vendor, modem = 'unknown' } = port
  const held = holders.get(path)?.map(({ name, pid }) => `${name} (pid ${pid}) has it open`) ?? []
  const probed = modemManager && vendor !== undefined && modem !== 'ignored'
  return probed ? [...held, modemManagerRemark, ignoreRule(port)] : held
}

const modemManagerRemark =
  'ModemManager runs and may talk to it; not with the next line in /etc/udev/rules.d/78-wayside.rules, after ' +
  '`udevadm control --reload && udevadm trigger`:'

function linkTo(links: ReadonlyMap<string, string>, path: string): string | undefined {
  return [...links].find(([, target]) => target === path)?.[0]
}

/** Another adapter with the same id; the ports of one adapter have names of their own. */
function sameAdapter(a: PortInfo, b: PortInfo): boolean {
  return (
    (a.usb === undefined || a.usb !== b.usb) &&
    a.vendor !== undefined &&
    a.vendor === b.vendor &&
    a.product === b.product &&
    a.serialNumber === b.serialNumber
  )
}
