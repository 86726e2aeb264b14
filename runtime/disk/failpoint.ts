/**
 * Places where a test may pull the plug. Armed with `name` or `name:3` (the third time it is passed),
 * several separated by commas; a place that is passed as often as said kills the process as a power cut
 * would, with nothing run behind it. CONTRIBUTING says how the crash tests use them.
 */
import { kill, pid } from 'node:process'

let armed = new Map<string, number>()
let armedText = ''

/** Arms the places named in `text`; an empty text disarms all. */
export function armFailpoints(text: string): void {
  armedText = text
  armed = new Map()
  for (const place of text.split(',').filter((part) => part !== '')) {
    const [name = '', times = '1'] = place.split(':')
    armed.set(name, Number(times))
  }
}

/** What is armed in this thread, so that it can be armed in another. */
export function armedFailpoints(): string {
  return armedText
}

/** Passes the place `name`, or dies there. */
export function failpoint(name: string): void {
  if (armed.size === 0) return
  const left = armed.get(name)
  if (left === undefined) return
  armed.set(name, left - 1)
  // In a worker the signal is on its way while the thread runs on; so stop here for good.
  if (left === 1) while (kill(pid, 'SIGKILL'));
}
