/** Looks for secrets in whatever was said, in every spelling that a program could give them. */
export type Secret = { readonly name: string; readonly bytes: Uint8Array }

/** What was said, where. */
export type Heard = { readonly where: string; readonly bytes: Uint8Array }

/** Half of a key is a leak too. */
const telling = 16

/** `<where> shows <name> as <spelling>` for every secret that stands in anything that was heard. */
export function leaks(secrets: readonly Secret[], heard: readonly Heard[]): string[] {
  const needles = secrets.flatMap(({ name, bytes }) => {
    const head = Buffer.from(bytes.subarray(0, telling))
    return spellings(head).map((spelling) => ({ name, ...spelling }))
  })
  return heard.flatMap(({ where, bytes }) => {
    const text = Buffer.from(bytes)
    const views = { raw: text, plain: text, lower: lower(text), close: close(text) }
    return needles
      .filter(({ view, bytes }) => views[view].includes(bytes))
      .map(({ name, as }) => `${where} shows ${name} as ${as}`)
  })
}

type View = 'raw' | 'plain' | 'lower' | 'close'
type Spelling = { readonly as: string; readonly view: View; readonly bytes: Buffer }

function spellings(secret: Buffer): Spelling[] {
  const spelled = (as: string, view: View, text: string): Spelling => {
    return { as, view, bytes: Buffer.from(text, 'latin1') }
  }
  const list = [...secret]
  return [
    { as: 'bytes', view: 'raw', bytes: secret },
    spelled('hex', 'lower', secret.toString('hex')),
    // `<Buffer 0a 0b …>` loses its blanks in the close view.
    spelled('spaced hex', 'close', secret.toString('hex')),
    spelled('a list of numbers', 'close', list.join(',')),
    spelled('an object of numbers', 'close', list.map((byte, i) => `"${i}":${byte}`).join(',')),
    ...[0, 1, 2].flatMap((shift) => [
      spelled('base64', 'plain', inBase64(secret, shift, 'base64')),
      spelled('base64url', 'plain', inBase64(secret, shift, 'base64url')),
    ]),
  ]
}

/** The middle of its base64 when it stands `shift` bytes behind a group's beginning: the same wherever it does. */
function inBase64(secret: Buffer, shift: number, spelling: 'base64' | 'base64url'): string {
  const whole = Buffer.concat([Buffer.alloc(shift), secret])
    .toString(spelling)
    .replace(/=+$/, '')
  const first = Math.ceil((8 * shift) / 6)
  return whole.slice(first, Math.floor((8 * (shift + secret.length)) / 6))
}

function lower(text: Buffer): Buffer {
  return Buffer.from(text.toString('latin1').toLowerCase(), 'latin1')
}

function close(text: Buffer): Buffer {
  return Buffer.from(lower(text).toString('latin1').replace(/\s+/g, ''), 'latin1')
}
