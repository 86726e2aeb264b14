/**
 * Which machine a folder belongs to: noted at its first start, so that a copied card is known for one on any
 * other machine. The machine's number itself is not kept, only a salted hash of it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '#crypto'
import { fault } from '../faults.ts'
import { equal, hex, text, unhex, utf8 } from '../wire/bytes.ts'
import { atomicWrite, readIfThere } from './write.ts'

/** `auto`: only where the board itself has a number, as a Raspberry Pi or a Jetson does. */
export type MachinePolicy = 'auto' | 'bound' | 'any'

/** A board's own number, in the tree that its firmware hands over; it survives every new card. */
const boardFiles = ['/proc/device-tree/serial-number']
/** Of a PC; and the installation's own, which a copied card carries along but a container may not keep. */
const machineFiles = ['/sys/class/dmi/id/product_uuid', '/etc/machine-id']

/** What names this machine; undefined when nothing does, or nothing is to. */
export function machineName(policy: MachinePolicy): string | undefined {
  if (policy === 'any') return undefined
  const files = policy === 'bound' ? [...boardFiles, ...machineFiles] : boardFiles
  for (const path of files) {
    const name = readWord(path)
    if (name !== undefined) return name
  }
  return undefined
}

/**
 * Notes the machine in `folder`, the first time; from then on throws MACHINE_OTHER on any other. A machine
 * without a name is not held to anything.
 */
export async function bindMachine(
  folder: string,
  name: string | undefined,
  random: (length: number) => Uint8Array,
): Promise<void> {
  if (name === undefined) return
  const noted = noteIn(await readIfThere(join(folder, file)))
  if (noted === undefined) return rebindMachine(folder, name, random)
  if (!equal(hashOf(noted.salt, name), noted.hash)) throw fault('MACHINE_OTHER', { folder })
}

/** The folder belongs to this machine from now on. */
export async function rebindMachine(
  folder: string,
  name: string,
  random: (length: number) => Uint8Array,
): Promise<void> {
  const salt = random(saltSize)
  await atomicWrite(join(folder, file), `${hex(salt)} ${hex(hashOf(salt, name))}\n`)
}

const file = 'machine'
const saltSize = 16

/** One line, salt and hash in hex; anything else is as good as none, since no crash can write it. */
function noteIn(bytes: Uint8Array | undefined) {
  const line = bytes === undefined ? '' : text(bytes)
  const [, salt = '', hash = ''] = /^(0x[0-9a-f]{32}) (0x[0-9a-f]{64})\n$/.exec(line) ?? []
  return salt === '' ? undefined : { salt: unhex(salt), hash: unhex(hash) }
}

function hashOf(salt: Uint8Array, name: string): Uint8Array {
  return sha256(utf8('wayside machine\0'), salt, utf8(name))
}

/** Device trees end their texts with a zero byte. */
function readWord(path: string): string | undefined {
  try {
    const word = readFileSync(path, 'utf8').replaceAll('\0', '').trim()
    return /[1-9a-z]/i.test(word) ? word : undefined
  } catch {
    return undefined
  }
}
