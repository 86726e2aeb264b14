/** `wayside recover`: what a person decides when a device's folder is not what it was. */
import type { Command } from 'commander'
import { loadConfig } from './config.ts'

export function recoverCommand(program: Command): void {
  program
    .command('recover')
    .argument('[file]', 'the config', 'wayside.yaml')
    .option('--moved', 'the folder was moved to this machine on purpose, and runs nowhere else')
    .option('--offline', 'do not ask the broker what stands there now')
    .description('go on with lost books, or on another machine')
    .addHelpText('after', examples)
    .action(recover)
}

const examples = `
Examples:
  wayside recover            after BOOKS_LOST, when no newer copy of the folder is left; after
                             DEVICE_CLONED, when the other card or folder is destroyed
  wayside recover --moved    after MACHINE_OTHER, when the card was moved

Lost books go on above every number that was ever published: a new generation of keys begins, all sessions
with buyers end, and what they had promised counts as spent. The broker is asked for the newest of what was
published; where it is not there, what was heard before counts. It can be interrupted and called again.

Exit code: 0 done, 1 nothing was lost, 2 when the folder is in use or cannot be read.`

type Flags = { readonly moved?: boolean; readonly offline?: boolean }

async function recover(file: string, { moved, offline = false }: Flags): Promise<void> {
  const config = loadConfig(file)
  const { armFailpoints } = await import('../disk/failpoint.ts')
  armFailpoints(process.env.WAYSIDE_FAILPOINT ?? '')
  const { randomBytes } = await import('#crypto')
  const { lockFolder } = await import('../disk/lock.ts')
  const { bindMachine, machineName, rebindMachine } = await import('../disk/machine.ts')
  const { systemClock } = await import('../watch/clock.ts')
  const { recoverBooks } = await import('../books/recovery.ts')

  const lock = await lockFolder(config.folder)
  try {
    const machine = machineName(config.machine)
    if (moved === true && machine !== undefined) {
      await rebindMachine(config.folder, machine, randomBytes)
      console.log(`${config.folder} belongs to this machine from now on`)
    }
    await bindMachine(config.folder, machine, randomBytes)
    const clock = systemClock(config.clock === 'trusted', randomBytes)
    const tell = (sentence: string) => console.log(sentence)
    if (await recoverBooks({ config, clock, random: randomBytes, tell, offline }))
      console.log('done: start it again')
    else if (moved !== true) {
      console.log('nothing is known to be lost; `wayside run` finds out')
      process.exitCode = 1
    }
  } finally {
    await lock.release()
  }
}
