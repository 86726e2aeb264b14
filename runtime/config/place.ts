/**
 * Where the files are that a config names: its relative paths begin at the folder of its own file, so that
 * it means the same from wherever a command is called. A device that is started from another folder must
 * not find no keys there and become another device.
 */
import { resolve } from 'node:path'
import { modelFolder } from '../modelfolder.ts'

/** The settings of a line to a broker that are files. */
export const brokerFiles = ['passwordFile', 'caFile', 'certFile', 'keyFile'] as const

/** The same settings with those of these names, where they are there, as paths from `folder`. */
export function placedIn<Settings extends object>(
  folder: string,
  settings: Settings,
  names: readonly (keyof Settings)[],
): Settings {
  const placed = names.flatMap((name) => {
    const path = settings[name]
    return typeof path === 'string' ? [[name, resolve(folder, path)]] : []
  })
  return { ...settings, ...Object.fromEntries(placed) }
}

/** A model as the device opens it: ours by its name, every other by its place. */
export function placedModel(folder: string, model: string): string {
  return modelFolder(model) === model ? resolve(folder, model) : model
}
