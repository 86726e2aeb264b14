/** What a buyer is told of its line to the broker: that it fell and why, once, and that it is back. */
import type { LinkNote } from '../link/limits.ts'

export type LineNote =
  | { readonly event: 'line down'; readonly why: string }
  | { readonly event: 'line up' }
  /** Something that only a person can mend: a topic that is refused, a login that does not serve. */
  | { readonly event: 'line trouble'; readonly why: string }

/** Takes the line's own notes. Of a line that never came the fault of the start tells. */
export function lineNotes(note: (note: LineNote) => void): (news: LinkNote) => void {
  let wasUp = false
  let told: string | undefined
  const once = (event: 'line down' | 'line trouble', why: string) => {
    if (why !== told) note({ event, why })
    told = why
  }
  return (news) => {
    if (news.event === 'connected') {
      if (told !== undefined) note({ event: 'line up' })
      told = undefined
      wasUp = true
    } else if (news.event === 'disconnected') {
      if (wasUp && told === undefined) once('line down', news.why)
    } else if (wasUp && news.event !== 'login renewed') {
      once('line trouble', 'cure' in news ? `${news.why}: ${news.cure}` : news.why)
    }
  }
}
