/**
 * What the stages tell of themselves, as log lines and counters: one function for each kind of note.
 *
 * Nothing here decides anything. A reading is counted as stored only when the commit that holds it has
 * returned, an epoch as published only at its PUBACK, as sold only when its key is durably on its way.
 */
import { parseTopic } from '../wire/topic.ts'
import { printable } from './health.ts'
import type { Note } from './log.ts'
import type { Metrics } from './metrics.ts'

type Facts = Readonly<Record<string, unknown>>

export type Watch = ReturnType<typeof openWatch>

export function openWatch(note: Note, metrics: Metrics) {
  return {
    note,
    metrics,
    doubt(source: string, reason: string) {
      metrics.doubted(source, reason)
      note('debug', 'doubt', { source, reason })
    },
    sensor: (says: string, facts: Facts) => note('info', says, facts),
    link(said: { readonly event: string }) {
      if (said.event === 'taken over') metrics.takenOver()
      const level = ['connected', 'disconnected', 'login renewed'].includes(said.event)
      note(level ? 'info' : 'warn', `broker ${said.event}`, rest(said))
    },
    acknowledged({ stream, count }: { readonly stream: string; readonly count: number }) {
      metrics.stored(stream, count)
      note('debug', 'stored', { stream, count })
    },
    commit: (said: Facts) => note('debug', 'committed', said),
    sealed(epoch: { readonly stream: string } & Facts) {
      metrics.sealed(epoch.stream)
      note('debug', 'sealed', epoch)
    },
    outbox(said: { readonly event: string; readonly topic: string }) {
      const parsed = parseTopic(said.topic)
      const epoch = parsed?.kind === 'epoch' ? { stream: parsed.stream } : {}
      if (said.event === 'published' && parsed?.kind === 'epoch') metrics.published(parsed.stream)
      note('debug', said.event, { ...rest(said), ...epoch })
    },
    kept(said: { readonly event: string }) {
      const facts = rest(said)
      if (said.event === 'evicted') {
        const unsent = Number(facts.unsent)
        const sent = Number(facts.epochs) - unsent
        if (sent > 0) metrics.evicted(String(facts.reason), sent)
        if (unsent > 0) metrics.evicted('unsent', unsent)
      }
      note(warned.has(said.event) ? 'warn' : 'info', said.event, facts)
    },
    sale(said: { readonly event: string }) {
      const facts = rest(said)
      if (said.event === 'refused') metrics.refused(String(facts.code))
      if (said.event === 'dropped') metrics.refused(`dropped: ${facts.why}`, Number(facts.times))
      if (said.event === 'sold') metrics.sold(Number(facts.epochs))
      note('info', said.event, facts)
    },
  }
}

/** What the keeping of the store tells that somebody should see to. */
const warned: ReadonlySet<string> = new Set(['disk full', 'disk failing', 'not erased'])

/** The facts beside the event. */
function rest({ event: _, ...facts }: { readonly event: string }): Facts {
  return printable(facts)
}
