/** `wayside operate`: the operator's desk, from its config to its orderly end. */
import type { Command } from 'commander'
import { addOperateInit } from './operateinit.ts'

export function operateCommand(program: Command): void {
  const operate = program
    .command('operate')
    .description("run the fleet's desk: grants, acks, enrolments, and the collecting of money")
    .option('-c, --config <file>', 'the config', 'operate.yaml')
    .option('--json', 'one JSON object an event on stdout; amounts are decimal texts')
    .addHelpText('after', examples)
    .allowExcessArguments()
    .action(operateFrom)
  addOperateInit(operate)
}

type Options = { readonly config: string; readonly json?: boolean }

async function operateFrom(
  { config: path, json = false }: Options,
  command: Command,
): Promise<void> {
  const [other] = command.args
  if (other !== undefined) {
    command.error(`error: unknown command '${other}': there are operate and operate init`)
  }
  const { armFailpoints } = await import('../disk/failpoint.ts')
  armFailpoints(process.env.WAYSIDE_FAILPOINT ?? '')
  const { loadOperatorConfig, openOffice } = await import('./office.ts')
  const config = await loadOperatorConfig(path)
  const { stop, hurry } = stopSignals()
  const broken = new AbortController()
  const signal = AbortSignal.any([stop, broken.signal])
  const office = await openOffice(config, json, stop).catch((cause) => {
    if (cause === stop.reason) return undefined
    throw cause
  })
  if (office === undefined) return
  const { gateway, settler, unclaimed, close } = office
  try {
    await Promise.all([gateway.start(signal), settler.start(signal)])
    console.error('settling what is owed …')
    await settler.settleAll(hurry)
    for (const amount of unclaimed()) {
      console.error(
        `${amount} stays promised: less than its gas would cost, or on its way. Nothing is lost.`,
      )
    }
  } finally {
    broken.abort()
    // A line that hangs would keep the process for ever: give main time to say why, then go.
    if (!(await close())) setTimeout(() => process.exit(), 500).unref()
  }
}

/** The first Ctrl-C stops and settles, the second does not wait for what is on its way, the third just ends. */
function stopSignals() {
  const [stop, hurry] = [new AbortController(), new AbortController()]
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      const next = [stop, hurry].find(({ signal }) => !signal.aborted)
      if (next === undefined) process.exit(130)
      next.abort()
    })
  }
  return { stop: stop.signal, hurry: hurry.signal }
}

const examples = `
Examples:
  wayside operate init                       keys and a first operate.yaml
  wayside operate                            until Ctrl-C, which settles what is owed; twice: waits for none of it
  wayside operate -c fleet.yaml --json | tee -a events.ndjson
  curl -s localhost:9465/health

Events: watching ready connected disconnected renewed ordered refused deposited granted acked withdrawing
short ended lost unseen claiming replaced claimed settled trouble, 'endpoint failing', 'endpoint well'.
Exit code: 0 ended in order, 1 books that are behind the broker's, 2 a mistake in config or keys, 3 broker or
chain unreachable at the start, 130 at a third Ctrl-C.`
