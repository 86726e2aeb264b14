/** `wayside acl`: the access list of a fleet, for mosquitto. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { OperatorConfig } from '../operator/config.ts'

export function aclCommand(program: Command): void {
  program
    .command('acl')
    .description("write the broker's access list (mosquitto) for the fleet of an operate.yaml")
    .option('-c, --config <file>', 'the config of the desk', 'operate.yaml')
    .option(
      '--alone',
      'no other fleet uses this broker: one line for all devices, not one for each',
    )
    .option('--json', 'the same as one JSON object, for other brokers')
    .addHelpText('after', examples)
    .action(acl)
}

type Options = { readonly config: string; readonly alone?: boolean; readonly json?: boolean }

async function acl({ config: path, alone = false, json = false }: Options): Promise<void> {
  const { loadOperatorConfig, openOperator } = await import('./office.ts')
  const { aclFile, mosquittoHints, rightsOf } = await import('../operator/acl.ts')
  const config = await loadOperatorConfig(path)
  const operator = await openOperator(config)
  const devices = config.devices.map(({ device }) => device)
  const login = await loginOf(config)
  const gatewayLogin = login ?? operator.address
  const parts = { operator: operator.address, gatewayLogin, devices, alone }
  if (json) {
    const { operator: of } = parts
    console.log(JSON.stringify({ operator: of, gatewayLogin, rights: rightsOf(parts) }, null, 2))
    return
  }
  process.stdout.write(aclFile(parts))
  console.error(mosquittoHints(devices.length))
  if (login === undefined) {
    console.error(
      `# ${path} names no login for the gateway: give it broker.username ${gatewayLogin}`,
    )
    console.error('# and a passwordFile, or a certificate, and write the list again.')
  }
}

/** Whom the broker takes the gateway for. */
async function loginOf({ broker }: OperatorConfig): Promise<string | undefined> {
  const { username, certFile } = broker
  if (username !== undefined || certFile === undefined) return username
  const { readLogin } = await import('../link/login.ts')
  readLogin(broker)
  const { subject } = new X509Certificate(await readFile(certFile))
  return /^CN=(.+)$/m.exec(subject)?.[1]
}

const examples = `
Examples:
  wayside acl > /etc/mosquitto/wayside.acl      and on standard error what mosquitto.conf needs
  wayside acl -c fleet.yaml --alone
  wayside acl --json                            the same rights, for the lists of another broker

The login of a device is its address: as user name, or as the common name of its certificate. A device
that was taken out of the fleet keeps its own topics until its login is taken away at the broker.
Exit code: 0 written, 2 a mistake in config or keys.`
