/** Waiting: for as long as was asked, however long that is, and not a moment past the signal. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { bell } from '../../runtime/time/bell.ts'
import { pause, timerMsMax } from '../../runtime/time/pause.ts'

const turn = () => new Promise((done) => setImmediate(done))

test('a pause of a month is a month: the timer of Node ends at 24 days', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const monthMs = 30 * 86_400_000
  assert.ok(monthMs > timerMsMax)
  const never = new AbortController().signal
  let over = 0
  void pause(monthMs, never).then(() => {
    over += 1
  })
  const alarm = bell()
  void alarm.wait(monthMs, never).then(() => {
    over += 1
  })
  mock.timers.tick(timerMsMax)
  await turn()
  assert.equal(over, 0)
  alarm.ring()
  mock.timers.tick(monthMs - timerMsMax - 1)
  await turn()
  assert.equal(over, 1)
  mock.timers.tick(1)
  await turn()
  assert.equal(over, 2)
})

test('a signal ends a pause of any length at once', async () => {
  const end = new AbortController()
  const waits = [pause(1_000_000, end.signal), pause(366 * 86_400_000, end.signal)]
  end.abort()
  await Promise.all(waits)
  await pause(366 * 86_400_000, end.signal)
})
