/** `wayside renew`: another secret for the keys of streams, from the next start on. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { loadConfig } from './config.ts'

export function renewCommand(program: Command): void {
  program
    .command('renew')
    .argument('[file]', 'the config', 'wayside.yaml')
    .description('begin another generation of stream keys, with the next start')
    .addHelpText('after', examples)
    .action(renew)
}

const examples = `
Examples:
  wayside renew              after a leak, a change of hands, or every 90 days; stop the device first

Epochs from the next start on are sealed under a fresh secret, and the device's own chain says where it begins.
Readings that are stored stay as they are: who has bought them opens them, and the old secret is destroyed with
the last of them. Buyers need not do anything.

Exit code: 0 done, 1 no device has run in this folder yet, 2 when the folder is in use or cannot be read.`

async function renew(file: string): Promise<void> {
  const { folder } = loadConfig(file)
  const { randomBytes } = await import('#crypto')
  const { lockFolder } = await import('../disk/lock.ts')
  const { openGenerations } = await import('../stream/generations.ts')
  const generations = join(folder, 'generations')
  if (!existsSync(generations)) {
    console.log(`no device has run in ${folder} yet: its first start makes the first generation`)
    process.exitCode = 1
    return
  }
  const lock = await lockFolder(folder)
  try {
    const { current } = await openGenerations(generations, { random: randomBytes, renew: true })
    console.log(`generation ${current} begins with the next start`)
  } finally {
    await lock.release()
  }
}
