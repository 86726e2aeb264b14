/** The line to a broker as flags: what `broker` says in the configs. */
import { type Command, Option } from 'commander'
import { brokerUrl } from '../config/quantity.ts'
import { type BrokerSettings, contradictionsIn } from '../link/settings.ts'
import { takenBy } from './flagvalue.ts'

export type BrokerFlags = {
  readonly broker: string
  readonly username?: string
  readonly brokerPasswordFile?: string
  readonly ca?: string
  readonly cert?: string
  readonly certKey?: string
  readonly mqtt: 'auto' | '3.1.1' | '5'
}

export function addBrokerFlags(command: Command): Command {
  return command
    .requiredOption(
      '--broker <url>',
      'where the devices publish: mqtt://, mqtts://, ws://, wss://',
      takenBy(brokerUrl),
    )
    .option('--username <name>', 'the login at the broker, where it wants one')
    .option('--broker-password-file <file>', 'its password (mode 0600)')
    .option('--ca <file>', 'PEM of the authority that signed the broker')
    .option('--cert <file>', 'PEM of our certificate, where the broker wants one')
    .option('--cert-key <file>', 'PEM of its key (mode 0600)')
    .addOption(
      new Option('--mqtt <version>', 'auto: 5 where the broker can')
        .choices(['auto', '3.1.1', '5'])
        .default('auto'),
    )
}

/** The settings that the flags name. Ends the command where two of them do not go together. */
export function brokerOf(flags: BrokerFlags, command: Command): BrokerSettings {
  const settings: BrokerSettings = {
    url: flags.broker,
    username: flags.username,
    passwordFile: flags.brokerPasswordFile,
    caFile: flags.ca,
    certFile: flags.cert,
    keyFile: flags.certKey,
    version: flags.mqtt,
  }
  const [wrong] = contradictionsIn(settings)
  if (wrong !== undefined) {
    const hint = wrong.hint.replace(/`(\w+)`/g, (_, name) => flagOf[name as keyof BrokerSettings])
    command.error(`error: ${flagOf[wrong.setting]}: ${wrong.what}; ${hint}`)
  }
  return settings
}

const flagOf: Readonly<Record<keyof BrokerSettings, string>> = {
  url: '--broker',
  username: '--username',
  passwordFile: '--broker-password-file',
  caFile: '--ca',
  certFile: '--cert',
  keyFile: '--cert-key',
  version: '--mqtt',
}
