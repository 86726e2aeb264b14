/** The line to the broker as `wayside buy` takes it: flags that contradict, a login that is wrong, mutual TLS. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomBytes } from '#crypto'
import { openBuyer } from '../../runtime/buyer/index.ts'
import { openSecret } from '../../runtime/disk/secret.ts'
import { Fault } from '../../runtime/faults.ts'
import { localSigner } from '../../runtime/wire/signer.ts'
import { noMosquitto as skip, startMosquitto } from '../link/mosquitto.ts'
import { wayside } from './wayside.ts'

async function withKey(t: { after(fn: () => Promise<void>): void }) {
  const home = await mkdtemp(join(tmpdir(), 'wayside-flags-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const key = join(home, 'buyer.key')
  const secret = await openSecret(key, randomBytes)
  return { home, secret, flags: ['--key', key, '--folder', join(home, 'books')] }
}

test('flags that cannot be meant together end with 2 and say which other is missing', () => {
  const cases = [
    [
      ['--broker', 'mqtts://b', '--cert', 'c'],
      /--cert: a certificate without its key; add --cert-key/,
    ],
    [
      ['--broker', 'mqtts://b', '--cert-key', 'c'],
      /--cert-key: .* without its certificate; add --cert/,
    ],
    [['--broker', 'mqtt://b', '--ca', 'c'], /--ca: a file for TLS, on a line without TLS/],
    [['--broker', 'mqtt://b', '--broker-password-file', 'p'], /without a name; add --username/],
    [['--broker', 'mqtt://b', '--mqtt', '4'], /auto, 3\.1\.1, 5/],
  ] as const
  for (const [flags, says] of cases) {
    const { status, stderr } = wayside(['buy', '--key', 'k', ...flags])
    assert.equal(status, 2, stderr)
    assert.match(stderr, says)
  }
})

test('a broker that does not let a buyer in ends it at once, with the reason and the cure', {
  skip,
}, async (t) => {
  const host = await startMosquitto(t, { flavour: '5', users: { me: 'right' } })
  const { home, flags } = await withKey(t)
  const word = join(home, 'word')
  await writeFile(word, 'wrong\n', { mode: 0o600 })
  const login = ['--username', 'me', '--broker-password-file', word]
  const { status, stderr } = wayside(['buy', '--broker', host.url, ...flags, ...login])
  assert.equal(status, 3)
  assert.match(
    stderr,
    /does not let us in: not authorized .*\n.*check `username`.*\[BROKER_LOGIN\]/,
  )
  assert.doesNotMatch(stderr, /wrong/)
})

test('a program buys over the same settings that a config has', { skip }, async (t) => {
  const host = await startMosquitto(t, { flavour: 'mtls' })
  const { home, secret } = await withKey(t)
  const broker = await host.line('buyer')
  const options = {
    folder: join(home, 'books'),
    signer: localSigner(secret),
    limits: { offerMs: 300 },
  }
  const nothingThere = (error: unknown) => error instanceof Fault && error.code === 'OFFER_MISSING'
  await assert.rejects(openBuyer({ ...options, broker }), nothingThere)
  const { certFile: _, keyFile: __, ...bare } = broker
  const shutOut = (error: unknown) => error instanceof Fault && error.code === 'BROKER_TLS'
  await assert.rejects(openBuyer({ ...options, broker: bare }), shutOut)
})
