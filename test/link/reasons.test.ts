/** What an MQTT 5 broker says of itself, by one that says it in raw bytes (MQTT 5 §3.2, §3.14). */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { Fault } from '../../runtime/faults.ts'
import { openBroker } from '../../runtime/link/broker.ts'
import type { LinkNote } from '../../runtime/link/limits.ts'
import { endingOf, refusedTopic, shutOut, wordsOf } from '../../runtime/link/reasons.ts'

const letIn = Uint8Array.of(0x20, 3, 0, 0, 0)
const refusedWith = (code: number) => Uint8Array.of(0x20, 3, 0, code, 0)
const disconnect = (code: number) => Uint8Array.of(0xe0, 2, code, 0)

/** A server that answers the first packet of every connection with these bytes. */
async function brokerThatSays(t: TestContext, ...says: readonly Uint8Array[]) {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.end(Buffer.concat(says)))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  })
  const { port } = server.address() as { port: number }
  const notes: LinkNote[] = []
  const broker = openBroker({
    url: `mqtt://127.0.0.1:${port}`,
    clientId: 'device',
    version: '5',
    limits: { retryFirstMs: 20, retryMaxMs: 600_000 },
    random: () => 0.5,
    note: (note) => void notes.push(note),
  })
  t.after(() => broker.close())
  while (!notes.some(({ event }) => event === 'disconnected')) await sleep(5)
  return { broker, notes, connections: () => connections }
}

test('a broker that says that another took over is believed at once, and left alone', async (t) => {
  const { broker, notes, connections } = await brokerThatSays(t, letIn, disconnect(0x8e))
  const [trouble] = broker.state().troubles
  assert.equal(trouble?.code, 'BROKER_TAKEN_OVER')
  assert.equal(broker.state().takeovers, 1)
  const [said] = notes.filter(({ event }) => event === 'disconnected')
  assert.ok(said !== undefined && 'retryMs' in said && said.retryMs === 300_000)
  await sleep(100)
  assert.equal(connections(), 1)
})

test('each way of not being let in has its fault, and is not hammered', async (t) => {
  const cases = [
    [0x86, 'BROKER_LOGIN', /wrong user name or password \(code 0x86\)/],
    [0x87, 'BROKER_LOGIN', /not authorized \(code 0x87\)/],
    [0x8c, 'BROKER_LOGIN', /another way of login \(code 0x8c\)/],
    [0x84, 'BROKER_VERSION', /does not speak MQTT 5/],
  ] as const
  for (const [code, name, says] of cases) {
    const { broker, connections } = await brokerThatSays(t, refusedWith(code))
    const [trouble] = broker.state().troubles
    assert.equal(trouble?.code, name)
    assert.match(trouble?.message ?? '', says)
    await sleep(60)
    assert.equal(connections(), 1, name)
  }
})

test('a broker that is only busy is tried again soon', async (t) => {
  const { broker, notes, connections } = await brokerThatSays(t, refusedWith(0x89))
  assert.deepEqual(broker.state().troubles, [])
  assert.ok(notes.some((note) => 'why' in note && note.why === 'it is busy (code 0x89)'))
  while (connections() < 3) await sleep(5)
})

test('any reason at all becomes words', () => {
  const code = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constant(undefined))
  fc.assert(
    fc.property(code, fc.option(fc.string(), { nil: undefined }), (reason, said) => {
      assert.ok(wordsOf(reason, said).length > 0)
      const fault = refusedTopic('mqtt://b', 't', reason, said)
      assert.doesNotMatch(fault.message, /\p{Cc}/u)
      assert.ok(fault.cure.length > 0)
    }),
  )
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer()), (reason) => {
      const ending = endingOf(Object.assign(new Error('why'), { code: reason }))
      const fault = shutOut(ending, 'mqtt://b', '5')
      assert.ok(fault === undefined || fault instanceof Fault)
    }),
  )
})

test('what TLS has against a line is told without advice to whoever starts Node', () => {
  const said = 'unable to verify the first certificate'
  const advice = `${said}; if the root CA is installed locally, try running Node.js with --use-system-ca`
  const code = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
  assert.deepEqual(endingOf(Object.assign(new Error(advice), { code })), { kind: 'tls', why: said })
})
