/** Which serial ports there are, what to call them so that the name holds, and what speaks on them. */
import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { delay } from './backoff.ts'
import { decoder } from './decoder.ts'
import type { Driver } from './driver.ts'
import { readOptions } from './options.ts'
import { listPorts, type OpenPort, type PortInfo } from './port.ts'

export type NamedPort = PortInfo & {
  /** The path to write into a config. */
  readonly stablePath: string
  /** Why it is this one: what holds when cables move. */
  readonly named: 'by id' | 'by path' | 'as is'
  /** What a person should know about the choice. */
  readonly remark?: string
}

/** Symbolic links that udev keeps: link → the port it points to. */
export type Links = { readonly byId: ReadonlyMap<string, string>; readonly byPath: Links['byId'] }

/** The ports of this machine, each with the name that is safest to write down. */
export async function findPorts(): Promise<NamedPort[]> {
  const [ports, byId, byPath] = await Promise.all([
    listPorts(),
    readLinks('/dev/serial/by-id'),
    readLinks('/dev/serial/by-path'),
  ])
  return ports.map((port) => namePort(port, ports, { byId, byPath }))
}

/**
 * A by-id name follows the adapter to another socket, but cheap adapters share one serial number: then two
 * ports fight for one name, and only the socket (by-path) tells them apart.
 */
export function namePort(port: PortInfo, ports: readonly PortInfo[], links: Links): NamedPort {
  const id = linkTo(links.byId, port.path)
  const socket = linkTo(links.byPath, port.path)
  const twin = ports.some((other) => other.path !== port.path && sameAdapter(other, port))
  if (id !== undefined && !twin) return { ...port, stablePath: id, named: 'by id' }
  if (socket !== undefined) {
    const why = twin ? 'another port has the same id, so it is named by its socket' : undefined
    return { ...port, stablePath: socket, named: 'by path', ...(why && { remark: why }) }
  }
  const remark = twin ? 'another port has the same id: check which is which' : undefined
  return { ...port, stablePath: port.path, named: 'as is', ...(remark && { remark }) }
}

export type Fingerprint = {
  readonly driver: Driver
  readonly baudRate: number
  /** Intact frames that decoded without a doubt while listening. */
  readonly frames: number
}

/**
 * Listens at every speed that a driver names and tells which driver understood most, or undefined when
 * none understood anything. Polled drivers get to ask. A port that cannot be opened rejects.
 */
export async function fingerprint(
  path: string,
  drivers: readonly Driver[],
  open: OpenPort,
  listenMs: number,
  signal: AbortSignal,
): Promise<Fingerprint | undefined> {
  let best: Fingerprint | undefined
  for (const baudRate of speedsOf(drivers)) {
    if (signal.aborted) break
    const fitting = drivers.filter((driver) => speedsOf([driver]).includes(baudRate))
    for (const found of await listenAt({ path, baudRate, open, listenMs, signal }, fitting)) {
      if (found.frames > (best?.frames ?? 0)) best = found
    }
    // Frames with checksums at one speed are no accident: no need to try the others.
    if (best !== undefined) break
  }
  return best
}

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
  for (const { decode } of ears) {
    const turn = decode.ask(0)
    if (turn?.send !== undefined) await port.write(turn.send).catch(() => {})
  }
  await Promise.race([delay(listenMs, signal), port.closed])
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
