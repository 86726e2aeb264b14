/**
 * Why a broker says no, in words: the reason codes of MQTT 5 (§2.4), the return codes of MQTT 3.1.1
 * (§3.2.2.3), and what TLS has against a line.
 */
import { type Fault, fault } from '../faults.ts'

/**
 * How a connection ended, or why it never came. `login`, `tls`, `version`, `unfit`: the broker is there, and
 * only a person can change that it does not let us in, or serve us. `taken over`: it said so. `hung up`: it
 * said nothing. `message`: it ended the line over something that we sent, or answered it with what is not
 * MQTT.
 */
export type Ending = {
  readonly kind:
    | 'login'
    | 'tls'
    | 'version'
    | 'unfit'
    | 'taken over'
    | 'hung up'
    | 'message'
    | 'other'
  readonly why: string
}

/** What mqtt.js or the socket below it had against the line. */
export type LineError = Error & { readonly code?: number | string; readonly reason?: string }

/** The ending behind an error of the line. */
export function endingOf(error: LineError): Ending {
  const { code, reason, message } = error
  // An older broker answers an MQTT 5 CONNECT with 3.1.1's code 1, or MQTT 5's own 0x84.
  if (code === 1 || code === 0x84) return { kind: 'version', why: wordsOf(code) }
  if (typeof code === 'number') return { kind: kindOf(code, logins), why: wordsOf(code) }
  if (code !== undefined && tlsCode.test(code)) {
    return { kind: 'tls', why: (reason ?? message).replace(nodesAdvice, '') }
  }
  if (code === undefined && unparsed.test(message)) {
    return { kind: 'message', why: `it answers what is not MQTT (${message})` }
  }
  return { kind: resets.includes(code ?? '') ? 'message' : 'other', why: message }
}

/** A DISCONNECT of an MQTT 5 broker. */
export function disconnection(reasonCode: number, said?: string): Ending {
  if (reasonCode === 0x8e) return { kind: 'taken over', why: wordsOf(reasonCode) }
  return { kind: kindOf(reasonCode, rights), why: wordsOf(reasonCode, said) }
}

/** What a CONNACK of MQTT 5 says that the broker cannot do (§3.2.2.3), if we cannot do without. */
export function unfitness(said: {
  readonly maximumQoS?: number | undefined
  readonly retainAvailable?: boolean | undefined
}): string | undefined {
  if (said.maximumQoS === 0) return wordsOf(0x9b)
  return said.retainAvailable === false ? wordsOf(0x9a) : undefined
}

function kindOf(code: number, shut: readonly number[]): Ending['kind'] {
  if (code === 0x9a || code === 0x9b) return 'unfit'
  if (shut.includes(code)) return 'login'
  return aboutMessages.includes(code) ? 'message' : 'other'
}

/** The fault of an ending that only a person can mend; undefined for all others. */
export function shutOut({ kind, why }: Ending, url: string, version: string): Fault | undefined {
  if (kind === 'login') return fault('BROKER_LOGIN', { url, why })
  if (kind === 'tls') return fault('BROKER_TLS', { url, why })
  if (kind === 'unfit') return fault('BROKER_UNFIT', { url, why })
  if (kind === 'version') return fault('BROKER_VERSION', { url, version })
  return undefined
}

/** A topic that the broker refuses, by its PUBACK or SUBACK, with what to do about it. */
export function refusedTopic(
  url: string,
  topic: string,
  code: number | undefined,
  said?: string,
  cause?: unknown,
): Fault {
  const hint =
    (code === undefined ? undefined : hints[code]) ?? 'the log of the broker may say more'
  return fault('BROKER_REFUSED', { url, topic, why: wordsOf(code, said), hint }, cause)
}

/** A message that the broker answers by ending the line. */
export function hungUpOn(url: string, topic: string, bytes: number, why: string): Fault {
  const said = `it ends the line whenever it is sent ${bytes} bytes there (${why})`
  return fault('BROKER_REFUSED', { url, topic, why: said, hint: hangUpHint })
}

/** A reason code in words, with what the broker added to it. */
export function wordsOf(code: number | undefined, said = ''): string {
  if (code === undefined) return said === '' ? 'it does not say why' : said
  const words = reasons[code] ?? 'a reason without a name'
  const number = code < 0x80 ? `code ${code}` : `code 0x${code.toString(16)}`
  return `${words} (${number}${said === '' ? '' : `: ${said}`})`
}

/** Of MQTT 3.1.1: identifier, login, rights. Of MQTT 5 the same, and banned, and the method of login. */
const logins: readonly number[] = [2, 4, 5, 0x85, 0x86, 0x87, 0x8a, 0x8c]

/** Those that a standing line may end with, when its login is no good any more. */
const rights: readonly number[] = [0x86, 0x8a, 0x8c]

/** Malformed, a protocol error, its own reason, not authorized, filter, topic, too large, quota, payload. */
const aboutMessages: readonly number[] = [
  0x80, 0x81, 0x82, 0x83, 0x87, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x97, 0x99,
]

const resets: readonly string[] = ['ECONNRESET', 'EPIPE']
/** How mqtt.js and its parser begin what they say of a packet that they cannot read. */
const unparsed =
  /^(Cannot parse|Connect flag|Invalid|Malformed|Not supported|Packet|Protocol error|Unknown property|Will|Wrong reason|unrecognized)/

/** Of a flag of Node's that nobody can give us. */
const nodesAdvice = /; if the root CA is installed locally.*$/
const tlsCode = /^ERR_(TLS|SSL)|^EPROTO$|CERT|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA/

const acl = 'allow this client that topic in the ACL of the broker: `wayside acl` writes one'
const hangUpHint =
  'see the log of the broker: its ACL may forbid that topic, or its limits a message so large; on MQTT 5 most brokers say which'
const quota = 'raise the limits of the broker, or lengthen `epoch.age`'

const hints: Readonly<Record<number, string>> = {
  128: acl,
  135: acl,
  143: acl,
  144: acl,
  149: 'raise the size of a message in the limits of the broker, or lessen `epoch.bytes`',
  150: quota,
  151: quota,
  154: 'let the broker keep retained messages: nobody finds a device without',
  155: 'let the broker give QoS 1: nothing is ever sure of its way without',
}

const reasons: Readonly<Record<number, string>> = {
  1: 'it does not speak that version of MQTT',
  2: 'it does not take our client id',
  3: 'it is not available',
  4: 'wrong user name or password',
  5: 'this login has no right to connect',
  128: 'refused without a reason',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'not allowed there',
  132: 'it does not speak that version of MQTT',
  133: 'it does not take our client id',
  134: 'wrong user name or password',
  135: 'not authorized',
  136: 'it is not available',
  137: 'it is busy',
  138: 'this client is banned',
  139: 'it is shutting down',
  140: 'it wants another way of login',
  141: 'it heard nothing from us for too long',
  142: 'another client took over with our id',
  143: 'it does not take such a filter',
  144: 'it does not take such a topic',
  147: 'too many messages on their way',
  148: 'a number for a topic that it does not know',
  149: 'the message is too large',
  150: 'too many messages in a short time',
  151: 'a quota is used up',
  152: 'its administrator ended it',
  153: 'the payload is not of the kind that it names',
  154: 'it keeps no retained messages',
  155: 'it does not give QoS 1',
  156: 'use another server',
  157: 'the server has moved',
  159: 'too many connections in a short time',
  160: 'the longest time of a connection is over',
  162: 'it takes no filters with wildcards',
}
