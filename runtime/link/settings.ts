/** One line to a broker as a config writes it: the same shape for device, gateway and buyer. */
export type BrokerSettings = {
  /** mqtt://, mqtts://, ws:// or wss://. */
  readonly url: string
  readonly username?: string | undefined
  /** A file that holds the password and nothing else, 0600. */
  readonly passwordFile?: string | undefined
  /** PEM of the authority that signed the broker; without it those that Node trusts. */
  readonly caFile?: string | undefined
  /** PEM of our certificate and its key (0600), for brokers that want to see one. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** `auto`, the default, speaks MQTT 5 where the broker can, else 3.1.1. */
  readonly version?: 'auto' | '3.1.1' | '5' | undefined
}

/** A setting that cannot be meant beside another one, and what to do about it. */
export type Contradiction = {
  readonly setting: keyof BrokerSettings
  readonly what: string
  readonly hint: string
}

/** What no single setting can say of itself: where two of them do not go together. */
export function contradictionsIn(settings: BrokerSettings): Contradiction[] {
  const { url, username, passwordFile, certFile, keyFile } = settings
  const found: Contradiction[] = []
  if (passwordFile !== undefined && username === undefined) {
    const what = 'a password without a name'
    found.push({ setting: 'passwordFile', what, hint: 'add `username`' })
  }
  if (certFile !== undefined && keyFile === undefined) {
    const what = 'a certificate without its key'
    found.push({ setting: 'certFile', what, hint: 'add `keyFile`' })
  }
  if (keyFile !== undefined && certFile === undefined) {
    const what = 'a key without its certificate'
    found.push({ setting: 'keyFile', what, hint: 'add `certFile`' })
  }
  for (const setting of ['caFile', 'certFile', 'keyFile'] as const) {
    if (settings[setting] === undefined || /^(mqtts|wss):/.test(url)) continue
    const secure = url.startsWith('ws:') ? 'wss://' : 'mqtts://'
    found.push({ setting, what: 'a file for TLS, on a line without TLS', hint: `write ${secure}` })
  }
  return found
}
