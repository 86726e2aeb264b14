import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asSent } from '../../drivers/lineends.ts'

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const sent = (text: string) => String.fromCharCode(...asSent(bytes(text)))

test('what was sent whole stays as it is', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ -~]{0,12}$/)), (lines) => {
      const whole = lines.map((line) => `${line}\r\n`).join('')
      assert.equal(sent(whole), whole)
    }),
  )
})

test('carriage returns that were dropped, or made line feeds, come back', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ -~]{1,12}$/), { minLength: 1 }), (lines) => {
      const whole = lines.map((line) => `${line}\r\n`).join('')
      assert.equal(sent(whole.replaceAll('\r', '')), whole)
      assert.equal(sent(whole.replaceAll('\r', '\n')), whole)
    }),
  )
  assert.equal(sent('/XXX5\n\na\nb\n'), '/XXX5\r\n\r\na\r\nb\r\n', 'an empty line in a copy')
  assert.equal(sent('/XXX5\n\n\n\na\n\n'), '/XXX5\r\n\r\na\r\n', 'an empty line of a terminal')
  assert.equal(sent('a\r\nb\nc'), 'a\r\nb\r\nc')
  assert.equal(sent(''), '')
})
