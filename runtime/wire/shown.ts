/**
 * A text of somebody else's, fit to be printed: what could move a cursor, colour a terminal, turn the
 * writing round or begin another line stands as its code point.
 */
export function shown(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.codePointAt(0) as number
    return `\\u{${code.toString(16)}}`
  })
}

/** Controls, line ends, formats that nobody sees (bidi overrides among them), and half characters. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]/gu
