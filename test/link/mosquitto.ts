/**
 * Debian's mosquitto, started for a test: plain, with logins, with TLS, with TLS on both sides. Its
 * certificates are made by the openssl command in the folder of the test, by an authority that lives as
 * long.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export type Flavour = '3.1.1' | '5' | 'tls' | 'mtls'

export type MosquittoOptions = {
  /** What the clients speak, and whether in TLS; `mtls` lets nobody in without a certificate. */
  readonly flavour: Flavour
  /** The text of its access list; without one everybody may do everything. */
  readonly acl?: string
  /** Logins: password by name. With logins, nobody is let in without one unless `anonymous` is true. */
  readonly users?: Readonly<Record<string, string>>
  readonly anonymous?: boolean
  /** More lines for its config. */
  readonly conf?: readonly string[]
}

/** The settings of one client, as `broker` in the configs takes them. */
export type Line = {
  readonly url: string
  readonly version: 'auto' | '3.1.1' | '5'
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

export type Mosquitto = {
  readonly url: string
  readonly port: number
  readonly folder: string
  /** PEM of the authority that signed it; a path, whether or not TLS is spoken. */
  readonly caFile: string
  /** What a client of that name needs to connect; under `mtls` a certificate with that common name. */
  line(name: string): Promise<Line>
  /** The user name and the file of its password. */
  login(name: string): Promise<{ readonly username: string; readonly passwordFile: string }>
  /** Ends it, as a power cut would; all that it held in memory is forgotten. SIGTERM lets it save that. */
  stop(how?: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Starts it again on the same port, with the same settings. */
  start(): Promise<void>
  /** SIGSTOP and SIGCONT freeze and thaw it; at SIGHUP it reads its access list again. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP'): void
}

const program = (name: string) => spawnSync(name, ['-h']).error === undefined
const missing = ['mosquitto', 'mosquitto_passwd', 'openssl'].filter((name) => !program(name))

/** Why a test with mosquitto is left out here; false where it is not. */
export const noMosquitto: string | false =
  missing.length === 0 ? false : `needs ${missing.join(', ')} (apt-get install mosquitto openssl)`

/** Starts one on a port of its own; it ends, and its folder goes, when the test does. */
export async function startMosquitto(
  t: { after(fn: () => Promise<void>): void },
  options: MosquittoOptions,
): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-mosquitto-'))
  let host: ChildProcess | undefined
  const stop = async (how: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') => {
    const leaving = host
    host = undefined
    if (leaving === undefined || leaving.exitCode !== null || leaving.signalCode !== null) return
    leaving.kill(how)
    await once(leaving, 'exit')
  }
  t.after(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  const tls = options.flavour === 'tls' || options.flavour === 'mtls'
  if (tls) await makeAuthority(folder)
  if (tls) await makeCertificate(folder, 'server', 'localhost')
  const port = await freePort()
  await writeFile(join(folder, 'conf'), `${(await confOf(folder, port, options)).join('\n')}\n`)
  const start = async () => {
    host = spawn('mosquitto', ['-c', join(folder, 'conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    host.stderr?.on('data', (piece) => {
      said += piece
    })
    for (let tries = 0; !(await answers(port)); tries += 1) {
      assert.ok(host.exitCode === null && tries < 500, `mosquitto does not start: ${said}`)
      await sleep(20)
    }
  }
  await start()
  const url = `${tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${port}`
  const caFile = join(folder, 'ca.crt')
  return {
    ...{ url, port, folder, caFile, stop, start },
    signal: (name) => void host?.kill(name),
    async login(username) {
      const passwordFile = join(folder, `${username}.password`)
      await writeFile(passwordFile, `${options.users?.[username] ?? ''}\n`, { mode: 0o600 })
      return { username, passwordFile }
    },
    async line(name) {
      const version = options.flavour === '3.1.1' ? '3.1.1' : 'auto'
      if (!tls) return { url, version }
      if (options.flavour === 'tls') return { url, version, caFile }
      return { url, version, caFile, ...(await makeCertificate(folder, name)) }
    },
  }
}

/** A certificate of the folder's authority: `<name>.crt` and `<name>.key` (0600), good for `days`. */
export async function makeCertificate(folder: string, name: string, commonName = name, days = 30) {
  const certFile = join(folder, `${name}.crt`)
  const keyFile = join(folder, `${name}.key`)
  const request = join(folder, `${name}.csr`)
  const extensions = join(folder, `${name}.ext`)
  await writeFile(extensions, 'subjectAltName = DNS:localhost, IP:127.0.0.1\n')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile]
  await openssl('req', '-new', ...key, '-out', request, '-subj', `/CN=${commonName}`)
  const signer = ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key')]
  const serial = ['-set_serial', `${serials()}`, '-days', `${days}`, '-extfile', extensions]
  await openssl('x509', '-req', '-in', request, ...signer, ...serial, '-out', certFile)
  return { certFile, keyFile }
}

/** Makes `ca.crt` and `ca.key` in the folder, and an authority of them. */
export async function makeAuthority(folder: string): Promise<void> {
  const files = ['-keyout', join(folder, 'ca.key'), '-out', join(folder, 'ca.crt')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...key, ...files, '-days', '30', '-subj', '/CN=street authority')
}

async function openssl(...words: readonly string[]): Promise<void> {
  await promisify(execFile)('openssl', [...words])
}

let lastSerial = 1
function serials(): number {
  lastSerial += 1
  return lastSerial
}

async function confOf(folder: string, port: number, options: MosquittoOptions): Promise<string[]> {
  const { flavour, acl, users, anonymous = users === undefined, conf = [] } = options
  const at = (name: string) => join(folder, name)
  const lines = [`listener ${port} 127.0.0.1`, `allow_anonymous ${anonymous}`, 'persistence false']
  // It gives up root's rights otherwise, and then cannot read the files of the test.
  if (process.getuid?.() === 0) lines.push('user root')
  if (acl !== undefined) {
    await writeFile(at('acl'), acl, { mode: 0o600 })
    lines.push(`acl_file ${at('acl')}`)
  }
  if (users !== undefined) {
    await writeFile(at('passwords'), '', { mode: 0o600 })
    for (const [name, password] of Object.entries(users)) {
      await promisify(execFile)('mosquitto_passwd', ['-b', at('passwords'), name, password])
    }
    lines.push(`password_file ${at('passwords')}`)
  }
  if (flavour === 'tls' || flavour === 'mtls') {
    lines.push(`cafile ${at('ca.crt')}`, `certfile ${at('server.crt')}`)
    lines.push(`keyfile ${at('server.key')}`)
  }
  if (flavour === 'mtls') lines.push('require_certificate true', 'use_identity_as_username true')
  return [...lines, ...conf]
}

/**
 * A port that nobody listens at. Not one that the system deals out for connections: while the broker is away
 * a client of anybody could get it, even the one that looks for the broker there.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch {
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
    socket.once('connect', () => socket.destroy())
  })
}
