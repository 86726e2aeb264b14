/** The operator's register: which devices are its own, and which key speaks for each. */
import type { Address } from '../wire/address.ts'

export type Registered = {
  readonly device: Address
  readonly signingKey: Address
  /** Grows when the key or the owner changes, and ends what was granted before. */
  readonly version: number
}

export type Register = {
  readonly operator: Address
  get(device: Address): Registered | undefined
  devices(): readonly Address[]
  /**
   * Whom an order for this seller names: one device, or all of them; nobody when it is not ours.
   */
  named(seller: Address): readonly Address[]
}

export function openRegister(operator: Address, rows: readonly Registered[]): Register {
  const byDevice = new Map(rows.map((row) => [row.device, row]))
  const devices = [...byDevice.keys()]
  return {
    operator,
    get: (device) => byDevice.get(device),
    devices: () => devices,
    named: (seller) => (seller === operator ? devices : byDevice.has(seller) ? [seller] : []),
  }
}
