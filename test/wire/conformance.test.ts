/** The standards under the wire: what their own examples say, our decoders say too, or refuse by rule. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gcmOpen } from '#crypto'
import { text, unhex } from '../../runtime/wire/bytes.ts'
import { type Cbor, decodeCbor, encodeCbor } from '../../runtime/wire/cbor.ts'
import { openBody } from '../../runtime/wire/envelope.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'

const vectors = new URL('../vectors/', import.meta.url)
const read = (path: string) => JSON.parse(readFileSync(new URL(path, vectors), 'utf8'))

type Item = { readonly hex: string; readonly decoded?: unknown; readonly diagnostic?: string }

/** Why the strict decoder refuses an item that plain CBOR allows, by its first bytes. */
const refused: readonly (readonly [why: string, pattern: RegExp])[] = [
  ['a tag', /^(c|d[0-9]|db)/],
  ['indefinite length', /^(5f|7f|9f|bf|83018202039f|83019f|826161bf)/],
  ['not a number', /^(f97c00|f97e00|f9fc00|fa7f800000|fa7fc00000|faff800000|fb7ff|fbfff)/],
  ['a whole number spelled as a float', /^(f90000|f98000|f93c00|f97bff|fa47c35000|f9c400)/],
  ['a simple value that we do not use', /^(f7|f0|f818|f8ff)$/],
]

test('of RFC 7049 appendix A, we read what is spelled in the one way that we write', () => {
  const items: readonly Item[] = read('cbor/rfc7049-appendix-a.json')
  assert.equal(items.length, 82)
  for (const { hex, decoded, diagnostic } of items) {
    const why = refused.find(([, pattern]) => pattern.test(hex))?.[0]
    if (why !== undefined) {
      assert.throws(() => decodeCbor(unhex(hex), 'item'), Malformed, `${hex}: ${why}`)
      continue
    }
    const value = decodeCbor(unhex(hex), 'item')
    assert.deepEqual(encodeCbor(value), unhex(hex), hex)
    if (diagnostic === undefined) assert.deepEqual(plain(value), expected(hex, decoded), hex)
  }
})

type Example = {
  readonly file: string
  readonly case: {
    readonly fail?: boolean
    readonly input: { readonly plaintext: string }
    readonly intermediates: { readonly AAD_hex: string; readonly CEK_hex: string }
    readonly output: { readonly cbor: string }
  }
}
const examples: readonly Example[] = read('cose/encrypt0-aes-gcm.json')

test('a COSE_Encrypt0 with A256GCM opens as its authors say', () => {
  const { input, intermediates, output } = example('enc-03')
  const [shielded, headers, sealed] = decodeCbor(unhex(output.cbor).subarray(1), 'cose') as [
    Uint8Array,
    Map<number, Uint8Array>,
    Uint8Array,
  ]
  const aad = encodeCbor(['Encrypt0', shielded, new Uint8Array()])
  assert.deepEqual(aad, unhex(intermediates.AAD_hex))
  const nonce = headers.get(5) as Uint8Array
  const plaintext = gcmOpen(unhex(intermediates.CEK_hex), nonce, sealed, aad)
  assert.equal(text(plaintext as Uint8Array), input.plaintext)
})

test('our own opener gets through its seal, and stops at what is no epoch', () => {
  const { intermediates, output } = example('enc-03')
  const key = unhex(intermediates.CEK_hex)
  const place = new Uint8Array()
  assert.throws(() => openBody(unhex(output.cbor), key, place), /not padded/)
  const bent = unhex(output.cbor)
  bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1
  assert.throws(() => openBody(bent, key, place), /does not open/)
})

test('other algorithms of COSE are refused before any key is used', () => {
  for (const name of ['enc-01', 'enc-02', 'enc-04']) {
    const { intermediates, output } = example(name)
    const open = () => openBody(unhex(output.cbor), unhex(intermediates.CEK_hex), new Uint8Array())
    assert.throws(open, /not sealed with A256GCM/, name)
  }
})

const python = spawnSync('python3', ['--version']).status === 0

test('the verifier in Python, which shares no code with us, finds that every vector holds', {
  skip: python ? false : 'needs python3',
}, () => {
  const run = spawnSync('python3', ['-B', new URL('verify.py', vectors).pathname], {
    encoding: 'utf8',
  })
  assert.equal(run.status, 0, run.stdout + run.stderr)
  assert.equal(run.stdout.match(/^holds/gm)?.length, 22)
})

function example(name: string): Example['case'] {
  const found = examples.find(({ file }) => file.includes(name))
  assert.ok(found, name)
  return found.case
}

/** A value as the appendix's JSON spells it. */
function plain(value: Cbor): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]))
  }
  return Array.isArray(value) ? value.map(plain) : value
}

/** JSON has lost the last digits of the largest integers. */
function expected(hex: string, decoded: unknown): unknown {
  if (hex === '1bffffffffffffffff') return 2n ** 64n - 1n
  return hex === '3bffffffffffffffff' ? -(2n ** 64n) : decoded
}
