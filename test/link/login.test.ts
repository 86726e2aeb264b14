/** Being let in: wrong logins in words, and files that are swapped while the line stands. */
import assert from 'node:assert/strict'
import { chmod, copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../../runtime/faults.ts'
import { type BrokerOptions, openBroker } from '../../runtime/link/broker.ts'
import type { LinkNote } from '../../runtime/link/limits.ts'
import { readLogin } from '../../runtime/link/login.ts'
import { text } from '../../runtime/wire/bytes.ts'
import { makeCertificate, noMosquitto as skip, startMosquitto } from './mosquitto.ts'

const patient = { retryFirstMs: 600_000, retryMaxMs: 600_000, connectMs: 20_000, filesMs: 20 }

function open(t: TestContext, options: BrokerOptions) {
  const notes: LinkNote[] = []
  const note = (each: LinkNote) => void notes.push(each)
  const broker = openBroker({ limits: patient, random: () => 0.9, note, ...options })
  t.after(() => broker.close())
  return { ...broker, notes, told: (event: string) => notes.filter((one) => one.event === event) }
}

async function eventually(what: string, holds: () => boolean) {
  for (let i = 0; i < 3_000 && !holds(); i += 1) await sleep(20)
  assert.ok(holds(), what)
}

const isFault = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === code && message.test(error.message)

/** As a person would, who knows that a file must never be seen half written. */
async function put(path: string, by: string): Promise<void> {
  await copyFile(by, `${path}.new`)
  await chmod(`${path}.new`, 0o600)
  await rename(`${path}.new`, path)
}

test('a wrong password is told in words and tried slowly; the right one is taken at once', {
  skip,
}, async (t) => {
  for (const flavour of ['3.1.1', '5'] as const) {
    const host = await startMosquitto(t, { flavour, users: { me: 'right' } })
    const { username, passwordFile } = await host.login('me')
    await writeFile(passwordFile, 'wrong\n')
    const line = open(t, { ...(await host.line('me')), username, passwordFile, clientId: 'one' })
    await assert.rejects(
      line.ready(),
      isFault('BROKER_LOGIN', /does not let us in: .*(password|right|authorized)/),
    )
    assert.deepEqual(
      line.state().troubles.map(({ code }) => code),
      ['BROKER_LOGIN'],
    )
    await eventually('it says how long it waits', () => line.told('disconnected').length === 1)
    const [said] = line.told('disconnected')
    assert.ok(said !== undefined && 'retryMs' in said && said.retryMs === 540_000)
    await assert.rejects(line.ready(), 'whoever asks later hears it too')
    await writeFile(passwordFile, 'right\n')
    await eventually('it is let in', line.connected)
    assert.deepEqual(line.state().troubles, [])
  }
})

test('a broker of an unknown authority, or one that misses our certificate, fails in words', {
  skip,
}, async (t) => {
  const tls = await startMosquitto(t, { flavour: 'tls' })
  const stranger = open(t, { url: tls.url, clientId: 'one' })
  await assert.rejects(stranger.ready(), isFault('BROKER_TLS', /TLS with .* fails: .*certificate/))
  const mtls = await startMosquitto(t, { flavour: 'mtls' })
  const bare = open(t, { url: mtls.url, caFile: mtls.caFile, clientId: 'one' })
  await assert.rejects(bare.ready(), isFault('BROKER_TLS', /certificate/))
})

test('a certificate that is swapped on the disk is used within moments, and nothing is lost by it', {
  skip,
}, async (t) => {
  const acl = 'pattern readwrite only/%u\npattern readwrite all/#\n'
  const host = await startMosquitto(t, { flavour: 'mtls', acl })
  const settings = await host.line('before')
  const { certFile = '', keyFile = '' } = settings
  const after = await makeCertificate(host.folder, 'after')
  const watcher = open(t, { ...(await host.line('watcher')), clientId: 'watcher' })
  const heard = new Set<string>()
  await watcher.ready()
  await watcher.subscribe('all/#', (topic, payload) => void heard.add(`${topic} ${text(payload)}`))
  const will = { topic: 'all/will', payload: 'gone' }
  const line = open(t, { ...settings, clientId: 'one', will })
  await line.ready()
  await line.publish('only/before', 'x')
  const refused = isFault('BROKER_REFUSED', /not authorized/)
  await assert.rejects(line.publish('only/after', 'x'), refused)

  // First the key alone: a pair that does not serve leaves the line as it is.
  await put(keyFile, after.keyFile)
  await eventually('it says so', () => line.told('login kept').length === 1)
  const [trouble] = line.state().troubles.filter(({ code }) => code === 'CERT_INVALID')
  assert.match(
    trouble?.message ?? '',
    /before\.key does not serve .*: not the key of .*before\.crt/,
  )
  await line.publish('only/before', 'x')
  assert.equal(line.told('connected').length, 1)

  const sent: string[] = []
  const sending = (async () => {
    while (line.told('connected').length < 2) {
      const word = `${sent.length}`
      await line.publish('all/words', word).then(
        () => sent.push(word),
        () => sleep(5),
      )
      await sleep(1)
    }
  })()
  await put(certFile, after.certFile)
  await sending
  await line.publish('only/after', 'x')
  await assert.rejects(line.publish('only/before', 'x'), refused)
  await eventually('all that was acknowledged arrives', () =>
    sent.every((word) => heard.has(`all/words ${word}`)),
  )
  assert.equal(line.told('disconnected').length, 0, 'in order, without back-off')
  assert.ok(![...heard].some((word) => word.startsWith('all/will')), 'the last will stays unsaid')
  assert.equal(line.told('login renewed').length, 1)
  assert.deepEqual(
    line.state().troubles.map(({ code }) => code),
    ['BROKER_REFUSED'],
  )
})

test('a file that does not serve is named with what is wrong with it', { skip }, async (t) => {
  const host = await startMosquitto(t, { flavour: 'mtls' })
  const good = await host.line('one')
  const { url, certFile = '', keyFile = '' } = good
  const other = await makeCertificate(host.folder, 'other')
  const days = ((readLogin(good).untilMs ?? 0) - Date.now()) / 86_400_000
  assert.ok(days > 29 && days < 31, `${days} days`)

  const cut = join(host.folder, 'cut.pem')
  await writeFile(cut, (await readFile(certFile, 'utf8')).slice(0, -40))
  const bare = join(host.folder, 'bare.pem')
  await writeFile(bare, 'not a certificate\n')
  const open = join(host.folder, 'open.key')
  await copyFile(keyFile, open)
  await chmod(open, 0o644)
  const cases = [
    [{ ...good, certFile: cut }, 'CERT_INVALID', /cut\.pem .*: it is cut off/],
    [{ ...good, caFile: bare }, 'CERT_INVALID', /bare\.pem .*: it is no PEM file/],
    [{ ...good, keyFile: other.keyFile }, 'CERT_INVALID', /other\.key .*: not the key of/],
    [
      { ...good, keyFile: open },
      'KEY_EXPOSED',
      /open\.key can be read by other users \(mode 644\)/,
    ],
    [{ ...good, caFile: certFile, certFile: keyFile }, 'CERT_INVALID', /no certificate/],
    [{ url, username: 'me', passwordFile: `${cut}.none` }, 'INPUT_UNREADABLE', /cut\.pem\.none/],
  ] as const
  for (const [settings, code, says] of cases) {
    assert.throws(() => openBroker({ ...settings, clientId: 'x' }), isFault(code, says))
  }
})

test('a file that vanishes leaves the last good one in use, also for a new connection', {
  skip,
}, async (t) => {
  const host = await startMosquitto(t, { flavour: 'mtls' })
  const settings = await host.line('one')
  const limits = { ...patient, retryFirstMs: 20, retryMaxMs: 50 }
  const line = open(t, { ...settings, clientId: 'one', limits })
  await line.ready()
  await rm(settings.certFile ?? '')
  await eventually('it says so', () => line.told('login kept').length === 1)
  await host.stop()
  await eventually('the line falls', () => !line.connected())
  await host.start()
  await line.ready()
  await line.publish('a', 'b')
})
