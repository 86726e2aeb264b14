/**
 * The device's enrolment: its operator's word that this key speaks for it. It comes over the broker, is
 * believed only by its signature, and is kept in a file, so that the device can show it offline.
 */
import { join } from 'node:path'
import { atomicWrite, readIfThere } from '../disk/write.ts'
import type { Address } from '../wire/address.ts'
import { type Enrolment, readEnrolment } from '../wire/enrolment.ts'
import { Malformed } from '../wire/malformed.ts'

export type Enrolled = {
  /** The newest enrolment of this device and key; undefined before there was one. */
  bytes(): Uint8Array | undefined
  /** Takes what came over the broker; true when it is new and now kept. Never throws for what it is. */
  take(payload: Uint8Array): Promise<boolean>
}

type Ours = { readonly device: Address; readonly signingKey: Address }

/** Opens `enrolment` in the folder; one of another operator, device or key is as good as none. */
export async function openEnrolled(
  folder: string,
  ours: Ours,
  operator: Address,
): Promise<Enrolled> {
  const path = join(folder, 'enrolment')
  const believed = (bytes: Uint8Array): Enrolment | undefined => {
    const enrolment = read(bytes)
    const fits =
      enrolment?.device === ours.device &&
      enrolment.signingKey === ours.signingKey &&
      enrolment.operator === operator
    return fits ? enrolment : undefined
  }
  const found = await readIfThere(path)
  const kept = found === undefined ? undefined : believed(found)
  let newest = kept === undefined || found === undefined ? undefined : { ...kept, bytes: found }
  /** The highest version that is kept or on its way to the disk: an older one must not overtake it. */
  let highest = newest?.version ?? 0

  return {
    bytes: () => newest?.bytes,
    async take(payload) {
      const enrolment = believed(payload)
      if (enrolment === undefined || enrolment.version <= highest) return false
      highest = enrolment.version
      const bytes = payload.slice()
      await atomicWrite(path, bytes)
      newest = { ...enrolment, bytes }
      return true
    },
  }
}

function read(bytes: Uint8Array): Enrolment | undefined {
  try {
    return readEnrolment(bytes)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}
