import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { systemClock } from '../../runtime/watch/clock.ts'

const random = (length: number) => new Uint8Array(length).fill(0xab)

test('the boot id is the kernel’s where it has one, and monotonic time never runs back', () => {
  const clock = systemClock(false, random)
  const file = '/proc/sys/kernel/random/boot_id'
  const kernels = existsSync(file)
    ? readFileSync(file, 'utf8').trim().replaceAll('-', '')
    : undefined
  assert.equal(clock.boot, kernels ?? 'ab'.repeat(16))
  let last = clock.monotonicMs()
  for (let i = 0; i < 1000; i += 1) {
    const now = clock.monotonicMs()
    assert.ok(Number.isSafeInteger(now) && now >= last)
    last = now
  }
})

test('a clock that is trusted by config tells the wall time with its quality', () => {
  const wall = systemClock(true, random).wall()
  assert.ok(wall !== undefined && ['rtc', 'synced'].includes(wall.quality))
  assert.ok(Math.abs(wall.ms - Date.now()) < 60_000)
})

test('a wall clock from before this release was never set, whoever trusts it', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2020, 0, 1) })
  assert.equal(systemClock(true, random).wall(), undefined)
})
