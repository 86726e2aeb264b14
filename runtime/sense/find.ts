/** Which serial ports there are, what to call them so that the name holds, and what speaks on them. */
import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { pause } from '../time/pause.ts'
import { decoder } from './decoder.ts'
import type { Driver } from './driver.ts'
import { readOptions } from './options.ts'
import { listPorts, type OpenPort, type PortInfo } from './port.ts'

export type NamedPort = {
  /** The path to write into a config. */
  readonly path: string
  /** What the kernel calls it today. */
  readonly device: string
  readonly maker?: string
  /** Why it is this path: what holds when cables move. */
  readonly named: 'by id' | 'by path' | 'as is'
  /** What a person should know about the choice. */
  readonly remark?: string
}

export type FoundPort = NamedPort & {
  /** The driver that understood what came, and the speed at which it did. */
  readonly driver?: string
  readonly baudRate?: number
  /** Why there is no driver. */
  readonly trouble?: string
}

/** Symbolic links that udev keeps: link → the port it points to. */
export type Links = { readonly byId: ReadonlyMap<string, string>; readonly byPath: Links['byId'] }

/** The ports of this machine, each with the name that is safest to write down; listens for these drivers. */
export async function findPorts(listen: {
  /** None: nothing is opened. */
  readonly drivers: readonly Driver[]
  readonly open: OpenPort
  readonly signal?: AbortSignal
}): Promise<FoundPort[]> {
  const [ports, byId, byPath] = await Promise.all([
    listPorts(),
    readLinks('/dev/serial/by-id'),
    readLinks('/dev/serial/by-path'),
  ])
  const named = ports.map((port) => namePort(port, ports, { byId, byPath }))
  if (listen.drivers.length === 0) return named
  const { drivers, open, signal = new AbortController().signal } = listen
  return Promise.all(
    named.map(async (port): Promise<FoundPort> => {
      try {
        const found = await fingerprint({ path: port.device, drivers, open, listenMs, signal })
        if (found === undefined) return { ...port, trouble: 'no driver understood what came' }
        return { ...port, driver: found.driver.id, baudRate: found.baudRate }
      } catch (error) {
        return { ...port, trouble: (error as Error).message }
      }
    }),
  )
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
  const known = maker === undefined ? { device } : { device, maker }
  if (id !== undefined && !twin) return { path: id, ...known, named: 'by id' }
  if (!twin) return { path: socket ?? device, ...known, named: socket ? 'by path' : 'as is' }
  if (socket === undefined) {
    const remark = 'another port has the same id: check which is which'
    return { path: device, ...known, named: 'as is', remark }
  }
  const remark = 'another port has the same id, so it is named by its socket'
  return { path: socket, ...known, named: 'by path', remark }
}

export type Fingerprint = {
  readonly driver: Driver
  readonly baudRate: number
  /** Intact frames that decoded without a doubt while listening. */
  readonly frames: number
}

/**
 * Listens at every speed that a driver names and tells which driver understood most, or undefined when
 * none understood anything. Polled drivers get to ask, but those of a shared line. A port that cannot be
 * opened rejects.
 */
export async function fingerprint(line: {
  readonly path: string
  readonly drivers: readonly Driver[]
  readonly open: OpenPort
  readonly listenMs: number
  readonly signal: AbortSignal
}): Promise<Fingerprint | undefined> {
  for (const baudRate of speedsOf(line.drivers)) {
    if (line.signal.aborted) break
    const fitting = line.drivers.filter((driver) => speedsOf([driver]).includes(baudRate))
    const found = await listenAt({ ...line, baudRate }, fitting)
    const best = found.reduce((most, next) => (next.frames > most.frames ? next : most))
    // Frames with checksums at one speed are no accident: no need to try the others. On a line where a frame
    // may begin with any byte, one could be.
    if (best.frames > (best.driver.bus === undefined ? 0 : 1)) return best
  }
  return undefined
}

/** Long enough for two frames of a sensor that speaks once a second. */
const listenMs = 2_500

type Line = {
  readonly path: string
  readonly baudRate: number
  readonly open: OpenPort
  readonly listenMs: number
  readonly signal: AbortSignal
}

async function listenAt(line: Line, drivers: readonly Driver[]): Promise<Fingerprint[]> {
  const { path, baudRate, open, listenMs, signal } = line
  const port = await open({ path, ...drivers[0]?.serial, baudRate })
  const ears = drivers.map((driver) => ({
    found: { driver, baudRate, frames: 0 },
    decode: decoder(driver, readOptions(driver)),
  }))
  port.onData((chunk) => {
    for (const { found, decode } of ears) {
      found.frames += decode.push(chunk).filter(({ said }) => said.ok).length
    }
  })
  for (const { found, decode } of ears) {
    // Whoever shares a line may be any of hundreds: such a line is only heard.
    if (found.driver.bus !== undefined) continue
    const turn = decode.ask(0)
    if (turn?.send !== undefined) await port.write(turn.send).catch(() => {})
  }
  await Promise.race([pause(listenMs, signal), port.closed])
  await port.close()
  return ears.map(({ found }) => found)
}

/** Every speed at which these are met, each driver's own first. */
function speedsOf(drivers: readonly Driver[]): number[] {
  const own = drivers.map(({ serial }) => serial.baudRate)
  return [...new Set([...own, ...drivers.flatMap(({ otherBaudRates }) => otherBaudRates)])]
}

function linkTo(links: ReadonlyMap<string, string>, path: string): string | undefined {
  return [...links].find(([, target]) => target === path)?.[0]
}

function sameAdapter(a: PortInfo, b: PortInfo): boolean {
  return (
    a.vendor !== undefined &&
    a.vendor === b.vendor &&
    a.product === b.product &&
    a.serialNumber === b.serialNumber
  )
}

/** What the links in this folder point to; none when the folder is not there. */
async function readLinks(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder).catch(() => [])
  const pairs = names.map(async (name): Promise<[string, string]> => {
    const link = join(folder, name)
    return [link, await realpath(link).catch(() => link)]
  })
  return new Map(await Promise.all(pairs))
}
