/** What only the disk shows of a config: the files of its line, and the keys of a desk. */

import type { Mistake } from '../config/mistake.ts'
import { brokerFiles, placedIn } from '../config/place.ts'
import { type Checked, problemsIn, readYaml } from '../config/yamlfile.ts'
import { readKeyFile, readPassword } from '../disk/keyfile.ts'
import { Fault } from '../faults.ts'
import { readLogin } from '../link/login.ts'
import type { BrokerSettings } from '../link/settings.ts'
import type { OperatorConfig } from '../operator/config.ts'

type Line = { readonly broker: BrokerSettings }

/** The same, or what the files of its line have against it; `folder` is that of the config. */
export async function withLine<T extends Line>(
  checked: Checked<T>,
  text: string,
  folder: string,
): Promise<Checked<T>> {
  if (!checked.ok) return checked
  const placed = placedIn(folder, checked.value.broker, brokerFiles)
  const mistakes = await mistakeOf(async () => readLogin(placed), ['broker'], placed)
  return asChecked(checked, text, mistakes)
}

/** The config of a desk in this text, by its schema and by the files that it names. */
export async function checkDesk(text: string, folder: string): Promise<Checked<OperatorConfig>> {
  const { operatorSchema } = await import('../operator/config.ts')
  const checked = readYaml(operatorSchema, text)
  if (!checked.ok) return checked
  const { broker, keys } = placedDesk(checked.value, folder)
  const password = keys.passwordFile
  const opened = password === undefined ? undefined : await readPassword(password).catch(() => '')
  const found = [
    mistakeOf(async () => readLogin(broker), ['broker'], broker),
    mistakeOf(async () => password && (await readPassword(password)), ['keys'], keys),
    ...[keys.operator, keys.gateway, keys.gas ?? keys.gateway].map((path) =>
      mistakeOf(() => readKeyFile(path, opened), ['keys'], keys),
    ),
  ]
  return asChecked(checked, text, distinct((await Promise.all(found)).flat()))
}

/** The config of a desk with every path of it in its place. */
export function placedDesk(config: OperatorConfig, folder: string): OperatorConfig {
  return {
    ...placedIn(folder, config, ['folder']),
    broker: placedIn(folder, config.broker, brokerFiles),
    keys: placedIn(folder, config.keys, ['operator', 'gateway', 'gas', 'passwordFile']),
  }
}

/** What a fault says of the setting whose file it names. */
async function mistakeOf(
  read: () => Promise<unknown>,
  at: Mistake['path'],
  settings: Readonly<Record<string, unknown>>,
): Promise<Mistake[]> {
  try {
    await read()
    return []
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const { facts, message, cure } = error
    const name = Object.keys(settings).find((one) => settings[one] === facts.path)
    return [{ path: name === undefined ? at : [...at, name], what: message, hint: cure }]
  }
}

function distinct(mistakes: readonly Mistake[]): Mistake[] {
  return [...new Map(mistakes.map((one) => [one.path.join('.'), one])).values()]
}

function asChecked<T>(checked: Checked<T>, text: string, mistakes: readonly Mistake[]): Checked<T> {
  return mistakes.length === 0 ? checked : { ok: false, problems: problemsIn(text, mistakes) }
}
