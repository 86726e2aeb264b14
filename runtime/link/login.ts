/**
 * The files that let us in at the broker: password, authority, certificate and key. They may be swapped
 * while we run; what is on the disk counts as soon as it stands still and serves, and what does not serve
 * (a half-written file, a key of another certificate) leaves the last good ones in use.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { Fault, fault } from '../faults.ts'
import { pause } from '../time/pause.ts'
import type { BrokerSettings } from './settings.ts'

export type Login = {
  readonly password?: string
  /** PEM texts. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** When our certificate ends, Unix ms. */
  readonly untilMs?: number
}

export type LoginFiles = {
  /** The newest that serves. Looks at the files, and never throws. */
  now(): Login
  /** Looks again and again until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>
}

export type LoginNews = {
  /** They serve, and say what is new; a standing line must be made again for what is new of TLS. */
  readonly taken: (news: 'nothing' | 'password' | 'tls') => void
  /** The files changed and do not serve; told once a change. */
  readonly kept: (why: Fault) => void
}

/** Reads them for the first time. Throws what `readLogin` throws. */
export function openLogin(
  settings: BrokerSettings,
  everyMs: number,
  { taken, kept }: LoginNews,
): LoginFiles {
  const paths = fileSettings.flatMap((name) => settings[name] ?? [])
  let tried = marksOf(paths)
  let login = readLogin(settings)

  /** Takes the files as they stand at `marks`, if they serve. */
  const take = (marks: string): void => {
    tried = marks
    try {
      const next = readLogin(settings)
      const tls = next.ca !== login.ca || next.cert !== login.cert || next.key !== login.key
      const news = tls ? 'tls' : next.password === login.password ? 'nothing' : 'password'
      if (news !== 'nothing') login = next
      taken(news)
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause
      kept(cause)
    }
  }

  return {
    now() {
      const marks = marksOf(paths)
      if (marks !== tried) take(marks)
      return login
    },
    async watch(signal) {
      let before = tried
      while (!signal.aborted && paths.length > 0) {
        await pause(everyMs, signal)
        const marks = marksOf(paths)
        // Two looks that agree: whoever writes them one after the other is done.
        if (marks === before && marks !== tried) take(marks)
        before = marks
      }
    },
  }
}

/**
 * Reads what the settings name. Throws INPUT_UNREADABLE, KEY_EXPOSED when others may read password or key,
 * CERT_INVALID for what is no PEM or a key of another certificate.
 */
export function readLogin(settings: BrokerSettings): Login {
  const { passwordFile, caFile, certFile, keyFile } = settings
  const password = passwordFile === undefined ? undefined : secretText(passwordFile)
  const ca = caFile === undefined ? undefined : pemText(caFile, readText(caFile), 'ca')
  const cert = certFile === undefined ? undefined : pemText(certFile, readText(certFile), 'cert')
  const key = keyFile === undefined ? undefined : pemText(keyFile, secretText(keyFile), 'key')
  const path = keyFile ?? ''
  if (cert !== undefined && key !== undefined) {
    serves(path, () => createSecureContext({ cert, key }), `not the key of ${certFile}`)
  }
  return {
    ...(password === undefined ? {} : { password: password.replace(/\r?\n$/, '') }),
    ...(ca === undefined ? {} : { ca }),
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert, untilMs: endOf(cert) }),
  }
}

const fileSettings = ['passwordFile', 'caFile', 'certFile', 'keyFile'] as const

/** A PEM file that is whole and of that kind, checked by who will use it. */
function pemText(path: string, text: string, kind: 'ca' | 'cert' | 'key'): string {
  const begins = text.match(/^-----BEGIN /gm)?.length ?? 0
  const ends = text.match(/^-----END /gm)?.length ?? 0
  if (begins === 0 || begins !== ends) {
    throw fault('CERT_INVALID', { path, why: begins === 0 ? 'it is no PEM file' : 'it is cut off' })
  }
  if (kind === 'key')
    serves(path, () => createSecureContext({ key: text }), 'no key without a password')
  else serves(path, () => new X509Certificate(text), 'no certificate')
  if (kind === 'ca') serves(path, () => createSecureContext({ ca: text }), 'no certificates')
  return text
}

/** OpenSSL's own words may quote the file; ours do not. */
function serves(path: string, use: () => unknown, why: string): void {
  try {
    use()
  } catch (cause) {
    throw fault('CERT_INVALID', { path, why }, cause)
  }
}

function secretText(path: string): string {
  const text = readText(path)
  const { mode } = statSync(path)
  if ((mode & 0o077) !== 0) {
    throw fault('KEY_EXPOSED', { path, mode: (mode & 0o777).toString(8) })
  }
  return text
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw fault('INPUT_UNREADABLE', { path, why: (cause as Error).message }, cause)
  }
}

function endOf(cert: string): number {
  return Date.parse(new X509Certificate(cert).validTo)
}

/** What changes when a file is written, renamed into place, or a link is turned. */
function marksOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false })
      return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeNs}`
    })
    .join(', ')
}
