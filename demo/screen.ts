/** Where the demo writes: lines that stay, and on a terminal one below them that rolls. */
import { styleText } from 'node:util'

export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad'

export type Screen = {
  /** Pieces of one line, which is cut where the window of a book would end. */
  line(...pieces: readonly (string | readonly [Style, string])[]): void
  /** Replaces the rolling line; where there is no terminal, a line now and then. */
  status(text: string): void
}

export const columns = 100
const tellEveryMs = 6_000

const formats = { bold: 'bold', dim: 'dim', good: 'green', bad: 'red' } as const

/** Colours only for a terminal, and not with NO_COLOR. */
export function openScreen(out: NodeJS.WriteStream): Screen {
  const live = out.isTTY === true
  const erase = '\r\x1b[K'
  let rolling = ''
  let toldMs = performance.now()

  function painted(style: Style, text: string): string {
    return style === 'plain' ? text : styleText(formats[style], text, { stream: out })
  }

  return {
    line(...pieces) {
      let room = columns
      const text = pieces.map((piece) => {
        const [style, whole] = typeof piece === 'string' ? (['plain', piece] as const) : piece
        const kept = cut(whole, room)
        room -= kept.length
        return painted(style, kept)
      })
      out.write(`${live && rolling !== '' ? erase : ''}${text.join('')}\n${rolling}`)
    },
    status(text) {
      if (!live) {
        const nowMs = performance.now()
        if (text === '' || nowMs - toldMs < tellEveryMs) return
        toldMs = nowMs
        out.write(`${text}\n`)
        return
      }
      rolling = text === '' ? '' : painted('dim', cut(text, (out.columns || columns) - 1))
      out.write(`${erase}${rolling}`)
    },
  }
}

/** At most so many characters, with a sign where some are missing. */
function cut(text: string, room: number): string {
  if (text.length <= room) return text
  return room < 1 ? '' : `${text.slice(0, room - 1)}…`
}
