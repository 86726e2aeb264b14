/** Endpoints on paper: each is a function that answers, throws, or waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, fault } from '../../runtime/faults.ts'
import { type EndpointsOptions, endpoints } from '../../runtime/link/endpoints.ts'
import type { EndpointNote } from '../../runtime/link/troubles.ts'

type Line = () => string

const down = (rpc: string) => fault('CHAIN_UNREACHABLE', { rpc, why: 'it is down' })

/** Three endpoints that say 1, what happened to them, and the means to have one say otherwise. */
function three(options: Partial<EndpointsOptions<Line>> = {}) {
  const notes: EndpointNote[] = []
  const say: Line[] = [() => '1', () => '1', () => '1']
  const all = ['a', 'b', 'c'].map((name, place) => ({ name, line: () => (say[place] as Line)() }))
  const circle = endpoints<Line>(all, {
    translate: (cause) => cause as Fault,
    note: (note) => notes.push(note),
    signal: new AbortController().signal,
    limits: { tries: 1, restFirstMs: 0, restMaxMs: 0 },
    ...options,
  })
  const ask = () => circle.agreed('it', async (line) => line())
  const events = () => notes.map(({ event, rpc, code }) => `${event} ${rpc} ${code}`)
  const silence = (place: number) => {
    say[place] = () => {
      throw down(`${place}`)
    }
  }
  return { circle, say, silence, ask, events }
}

const refused = (code: string) => (error: unknown) => error instanceof Fault && error.code === code

test('who stands alone is told, and that it is over when it says what the others say', async () => {
  const { say, ask, events } = three()
  say[1] = () => '2'
  await assert.rejects(ask(), refused('CHAIN_DISAGREES'))
  say[1] = () => '1'
  assert.equal(await ask(), '1')
  assert.deepEqual(events(), [
    'endpoint failing b CHAIN_DISAGREES',
    'endpoint well b CHAIN_DISAGREES',
  ])
})

test('an endpoint that contradicts and then falls silent has not taken anything back', async () => {
  const { circle, say, silence, ask, events } = three()
  say[1] = () => '2'
  await assert.rejects(ask(), refused('CHAIN_DISAGREES'))
  silence(1)
  await assert.rejects(ask(), refused('CHAIN_UNREACHABLE'))
  assert.equal(circle.compare('it', ['1', undefined, '1']), undefined)
  assert.deepEqual(events(), [
    'endpoint failing b CHAIN_DISAGREES',
    'endpoint failing b CHAIN_UNREACHABLE',
  ])
})

test('who is the only one left to speak is not vouched for by silence', async () => {
  const { circle, say, ask, events } = three()
  say[1] = () => '2'
  await assert.rejects(ask(), refused('CHAIN_DISAGREES'))
  assert.equal(circle.compare('it', [undefined, '2', undefined]), undefined)
  assert.deepEqual(events(), ['endpoint failing b CHAIN_DISAGREES'])
})

test('where no side is larger all are told', async () => {
  const { say, ask, events } = three()
  say[1] = () => '2'
  say[2] = () => '3'
  await assert.rejects(ask(), refused('CHAIN_DISAGREES'))
  assert.equal(events().length, 3)
})

test('who failed and has answered since rests no longer than after its first failure', async () => {
  let nowMs = 0
  const limits = { tries: 1, restFirstMs: 1_000, restMaxMs: 60_000 }
  const { ask, say, silence } = three({ limits, random: () => 0.999, monotonicMs: () => nowMs })
  /** How long it is left alone after one more failure. */
  const rest = async () => {
    silence(0)
    await assert.rejects(ask(), refused('CHAIN_UNREACHABLE'))
    const failedMs = nowMs
    let asked = 0
    say[0] = () => {
      asked += 1
      throw down('a')
    }
    for (; asked === 0; nowMs += 100) await ask().catch(() => {})
    const restedMs = nowMs - 100 - failedMs
    say[0] = () => '1'
    return restedMs
  }
  assert.equal(await rest(), 1_000)
  nowMs += 60_000
  assert.equal(await ask(), '1')
  assert.equal(await rest(), 1_000)
})

test('closing ends the wait between two tries', async () => {
  const closed = new AbortController()
  const limits = { tries: 3, retryMs: 60_000, hangMs: 60_000 }
  const { ask, silence } = three({ signal: closed.signal, limits, random: () => 0.9 })
  silence(0)
  const asked = assert.rejects(ask(), refused('CHAIN_UNREACHABLE'))
  closed.abort()
  await asked
})
