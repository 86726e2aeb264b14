import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LineNote, lineNotes } from '../../runtime/buyer/linenotes.ts'
import { sentenceOf } from '../../runtime/buyer/words.ts'

const connected = { event: 'connected', version: '5' } as const
const disconnected = {
  event: 'disconnected',
  why: 'the broker closed the line',
  retryMs: 9,
} as const

test('a buyer is told once that its line fell and why, what only it can mend, and that it is back', () => {
  const told: LineNote[] = []
  const hear = lineNotes((note) => told.push(note))
  // What comes before the first line, the fault of the start tells.
  for (const news of [disconnected, connected, disconnected, disconnected]) hear(news)
  const why = 'the broker does not let us in'
  for (let times = 0; times < 3; times += 1) {
    hear({ event: 'shut out', why, cure: 'mend the login' })
    hear(disconnected)
  }
  for (const news of [connected, connected, { event: 'login renewed' } as const]) hear(news)
  hear({ event: 'refused', topic: 'a/ask', why: 'the broker refuses a/ask' })
  assert.deepEqual(
    told.map((note) => sentenceOf(note)),
    [
      'no line to the broker (the broker closed the line): it is looked for until it is back',
      'the broker does not let us in: mend the login',
      'the line to the broker is back',
      'the broker refuses a/ask',
    ],
  )
})
