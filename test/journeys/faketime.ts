/** A process whose wall clock is another one: by `faketime`, which leaves monotonic time as it is. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** What its library is loaded by; undefined where there is none. */
const library = (() => {
  const { status, stdout } = spawnSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], {
    encoding: 'utf8',
  })
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
})()

/** Why there is no such clock on this machine; false where there is. */
export const noFaketime: string | false =
  library === undefined ? 'no faketime on this machine' : false

/** As faketime writes times: `-400d` from now on back, `@1990-01-01 00:00:00` from that moment on. */
export type Shift = '+0' | `${'+' | '-'}${number}d` | `@${string}`

/** The environment of a process that lives by such a clock. */
export function shifted(shift: Shift): Record<string, string> {
  return { ...always(), FAKETIME: shift }
}

/** As `shifted`, and the clock may be set while the process runs. */
export function steppable(file: string, first: Shift) {
  const step = (shift: Shift) => writeFileSync(file, `${shift}\n`)
  step(first)
  return { step, env: { ...always(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' } }
}

function always(): Record<string, string> {
  const monotonic = { FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' }
  return { LD_PRELOAD: library ?? '', ...monotonic }
}
