/**
 * The machine's clocks. Boot id and monotonic time are the kernel's, so that they run on when the process
 * starts anew; the wall clock is believed only as far as the machine vouches for it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { hrtime } from 'node:process'
import { hex } from '../wire/bytes.ts'
import type { Clock } from '../wire/clock.ts'

/** A wall clock behind the day of this release has never been set. */
const releasedMs = Date.UTC(2026, 10, 1)

/** What systemd-timesyncd and chrony leave behind when the clock is disciplined. */
const syncMarks = ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid']
const rtc = '/sys/class/rtc/rtc0'
const bootIdFile = '/proc/sys/kernel/random/boot_id'

/** How often the machine is asked again whether its clock is disciplined. */
const qualityHoldsMs = 10_000

/**
 * `trusted` believes the wall clock without a mark of its own, as in a container whose host keeps the
 * time. `random` names the run on a machine whose kernel does not.
 */
export function systemClock(trusted: boolean, random: (length: number) => Uint8Array): Clock {
  const monotonicMs = () => Number(hrtime.bigint() / 1_000_000n)
  let quality: 'rtc' | 'synced' | undefined
  let askAgainMs = 0
  return {
    boot: bootId() ?? hex(random(16)).slice(2),
    monotonicMs,
    wall: () => {
      const ms = Date.now()
      if (ms < releasedMs) return undefined
      const now = monotonicMs()
      if (now >= askAgainMs) {
        quality = qualityOf(trusted)
        askAgainMs = now + qualityHoldsMs
      }
      return quality === undefined ? undefined : { ms, quality }
    },
  }
}

function qualityOf(trusted: boolean): 'rtc' | 'synced' | undefined {
  if (syncMarks.some((mark) => existsSync(mark))) return 'synced'
  return trusted || existsSync(rtc) ? 'rtc' : undefined
}

function bootId(): string | undefined {
  try {
    const text = readFileSync(bootIdFile, 'utf8').trim().replaceAll('-', '')
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}
