/** The flags that name drivers and their options, as everybody says them who works on the bench. */
import type { Command } from 'commander'

export type WithFlag = { readonly with?: readonly string[] }

/** Adds `--with`: drivers of other packages, beside ours. */
export function addWithFlag(command: Command): Command {
  return command.option(
    '--with <package>',
    'drivers of this package in node_modules, or of this folder or file; may be repeated',
    (name: string, before: readonly string[] = []) => [...before, name],
  )
}

export type OptionFlag = { readonly option?: Readonly<Record<string, string>> }

/** Adds `--option`: what stands under `options:` in a config. */
export function addOptionFlag(command: Command): Command {
  return command.option(
    '--option <name=value>',
    'an option of the driver; may be repeated',
    collect,
  )
}

function collect(pair: string, before: OptionFlag['option'] = {}): OptionFlag['option'] {
  const at = pair.indexOf('=')
  return { ...before, [at < 0 ? pair : pair.slice(0, at)]: at < 0 ? 'true' : pair.slice(at + 1) }
}
