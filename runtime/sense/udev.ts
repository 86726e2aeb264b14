/**
 * What udev knows of a device, where it keeps it: /run/udev/data/c<major>:<minor>, a property a line.
 *
 * ModemManager looks at ports that udev has tagged ID_MM_CANDIDATE, and at none that is, or whose USB device
 * is, tagged ID_MM_DEVICE_IGNORE or ID_MM_PORT_IGNORE. What it then opens depends on its filter policy, which
 * nobody can ask it: in STRICT, the default since version 1.18, what looks like a modem; before, whatever is
 * not known to be none.
 *
 * Source: ModemManager reference manual, "Common udev tags" and "Modem filter".
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** unknown: udev keeps nothing of the port, or is not there, as in a container. */
export type ModemTag = 'candidate' | 'ignored' | 'unknown'

/** How this port, of this USB device, is tagged; both are folders of /sys. */
export async function modemTag(port: string, usb: string, root = ''): Promise<ModemTag> {
  const [own, above] = await Promise.all([propertiesOf(port, root), propertiesOf(usb, root)])
  const isSet = (name: string) => [own, above].some((tags) => (tags?.get(name) ?? '0') !== '0')
  if (isSet('ID_MM_DEVICE_IGNORE') || isSet('ID_MM_PORT_IGNORE')) return 'ignored'
  if (own === undefined) return 'unknown'
  return isSet('ID_MM_CANDIDATE') ? 'candidate' : 'ignored'
}

/** The line for udev that keeps ModemManager away from this adapter, or from its kind if it has no number. */
export function ignoreRule(adapter: {
  readonly vendor?: string
  readonly product?: string
  readonly serialNumber?: string
}): string {
  const { vendor = '', product = '', serialNumber = '' } = adapter
  const attributes = { idVendor: vendor, idProduct: product, serial: serialNumber }
  const matches = Object.entries(attributes)
    // What udev would read as a pattern, or as the end of the text, is left out.
    .filter(([, value]) => /^[\w.-]+$/.test(value))
    .map(([name, value]) => `ATTRS{${name}}=="${value}"`)
  return [...matches, 'ENV{ID_MM_DEVICE_IGNORE}="1"'].join(', ')
}

async function propertiesOf(folder: string, root: string) {
  const number = await text(join(folder, 'dev'))
  const kept = number && (await text(join(root, '/run/udev/data', `c${number}`)))
  if (!kept) return undefined
  const rows = kept.split('\n').flatMap((row) => {
    const [, name, value] = /^E:(\w+)=(.*)$/.exec(row) ?? []
    return name === undefined ? [] : [[name, value ?? ''] as const]
  })
  return new Map(rows)
}

async function text(path: string): Promise<string | undefined> {
  return (await readFile(path, 'utf8').catch(() => undefined))?.trim()
}
