/** Where a model lives: the ones that come with the product go by name, every other by its path. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `anomaly` is the folder of ours; what is no name of ours, or has a slash, is a path as it stands. */
export function modelFolder(name: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return name
  const ours = join(modelsFolder, name)
  return existsSync(join(ours, 'model.json')) ? ours : name
}

// A clone runs runtime/modelfolder.ts; what is installed is a file of dist/, with the models beside it.
const modelsFolder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../models' : './models', import.meta.url),
)
