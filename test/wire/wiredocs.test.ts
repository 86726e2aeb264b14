/** docs/wire.md and docs/wire.cddl say what the code does: every table of bytes, names and numbers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keccak256, sha256 } from '#crypto'
import * as ack from '../../runtime/wire/ack.ts'
import { addressBytes } from '../../runtime/wire/address.ts'
import * as answer from '../../runtime/wire/answer.ts'
import { concat, hex, unhex, utf8, word } from '../../runtime/wire/bytes.ts'
import * as cbor from '../../runtime/wire/cbor.ts'
import * as clearbody from '../../runtime/wire/clearbody.ts'
import * as enrolment from '../../runtime/wire/enrolment.ts'
import * as envelope from '../../runtime/wire/envelope.ts'
import * as evidence from '../../runtime/wire/evidence.ts'
import * as grant from '../../runtime/wire/grant.ts'
import * as header from '../../runtime/wire/header.ts'
import * as hpke from '../../runtime/wire/hpke.ts'
import * as keysbody from '../../runtime/wire/keysbody.ts'
import * as keytree from '../../runtime/wire/keytree.ts'
import * as order from '../../runtime/wire/order.ts'
import * as paymenttree from '../../runtime/wire/paymenttree.ts'
import { refusals } from '../../runtime/wire/refusal.ts'
import * as request from '../../runtime/wire/request.ts'
import * as session from '../../runtime/wire/session.ts'
import * as signed from '../../runtime/wire/signed.ts'
import * as sold from '../../runtime/wire/sold.ts'
import { topics } from '../../runtime/wire/topic.ts'
import { typeStrings } from '../../runtime/wire/typed.ts'
import { units } from '../../runtime/wire/units.ts'
import { leaves } from '../vectors/money/sample.ts'
import { fenced, page, type Row, section, table } from './markdown.ts'
import { device, enrolled, operator, sampleEpoch, secretOf } from './sample.ts'

const wire = page('docs/wire.md')
const cddl = page('docs/wire.cddl')

type Span = { readonly at: number; readonly size: number; readonly name: string }

/** A table of offsets; every row begins where the one before ends. */
function offsets(rows: readonly Row[], column: string): Span[] {
  const spans = rows.map((row) => ({
    at: Number(row.at),
    size: Number(row.bytes),
    name: row[column] ?? '',
  }))
  let end = 0
  for (const { at, size, name } of spans) {
    assert.equal(at, end, `${name} begins where the one before ends`)
    end = at + size
  }
  return spans
}

test('the offsets of the header are those of the code, member by member', () => {
  const spans = offsets(table(section(wire, '6. Headers'), 'at', 'bytes', 'field', 'what'), 'field')
  assert.equal(
    spans.reduce((sum, { size }) => sum + size, 0),
    header.interruptedSize,
  )
  const base = sampleEpoch({ count: 3, interrupted: true }).header
  const before = header.encodeHeader(base)
  const other = secretOf('other')
  const { interrupted } = base
  assert.ok(interrupted)
  const changed: Readonly<Record<string, Partial<header.Header>>> = {
    device: { device: operator },
    stream: { stream: 'z'.repeat(32) },
    generation: { generation: 0xffff_ffff },
    number: { number: 0xfedc_ba98 },
    previous: { previous: other },
    clock: { clock: 'rtc' },
    flags: { flags: 0xffff },
    count: { count: 0xffff_ffff },
    root: { root: other },
    boot: { boot: 'f'.repeat(32) },
    openedMonotonicMs: { openedMonotonicMs: 2 ** 53 - 1 },
    openedWallMs: { openedWallMs: 2 ** 53 - 1 },
    closedMonotonicMs: { closedMonotonicMs: 2 ** 53 - 1 },
    closedWallMs: { closedWallMs: 2 ** 53 - 1 },
    bodyBytes: { bodyBytes: 0xfedc_ba98 },
    bodyHash: { bodyHash: other },
    commitment: { commitment: other },
    terms: { terms: other },
    setup: { setup: other },
    'interrupted.boot': { interrupted: { ...interrupted, boot: 'f'.repeat(32) } },
    'interrupted.headSignature': {
      interrupted: { ...interrupted, headSignature: new Uint8Array(65).fill(0xee) },
    },
  }
  for (const { at, size, name } of spans) {
    const over = changed[name]
    if (over === undefined) continue
    assert.deepEqual(outside(before, header.encodeHeader({ ...base, ...over }), at, size), [], name)
  }
  const plain = spans.filter(({ name }) => changed[name] === undefined)
  assert.deepEqual(
    plain.map(({ name }) => name),
    ['version', 'reserved', 'length', 'kind', 'reserved'],
  )
  assert.deepEqual([...before.subarray(0, 4)], [1, 0, 401 >> 8, 401 & 255])
  assert.equal(new DataView(before.buffer).getUint32(188), 0)
})

test('the kinds of header are those of the code', () => {
  const rows = table(wire, 'kind', 'name', 'length', 'body', 'count, root, commitment')
  for (const { kind, name = '', length } of rows) {
    const { header: base } = sampleEpoch({ count: 1, interrupted: name === 'interrupted' })
    const bytes = header.encodeHeader({ ...base, kind: name as header.Kind })
    assert.equal(bytes[96], Number(kind), name)
    assert.equal(bytes.length, Number(length), name)
  }
  assert.equal(rows.length, 5)
})

test('the offsets of the enrolment are those of the code', async () => {
  const rows = table(section(wire, '12. Enrolment'), 'at', 'bytes', 'field', 'what')
  const spans = offsets(rows, 'field')
  const bytes = await enrolled()
  const cut = spans.map(({ at, size }) => hex(bytes.subarray(at, at + size)))
  assert.deepEqual(spans.map(({ name }, i) => [name, cut[i]]).slice(0, -1), [
    ['version', '0x01'],
    ['reserved', '0x00'],
    ['length', '0x0044'],
    ['device', device],
    ['operator', operator],
    ['signingKey', device],
    ['version', '0x00000001'],
  ])
  const { at, size } = spans.at(-1) as Span
  assert.deepEqual([at, size], [68, header.signatureSize])
  assert.equal(at + size, enrolment.enrolmentSize)
})

test('leaf and node of the payment tree are made as their tables say', () => {
  const part = section(wire, '16. Payment tree')
  const make = (kind: 'leaf' | 'node', members: Readonly<Record<string, Uint8Array>>) => {
    const spans = offsets(table(part, 'at', 'bytes', kind), kind)
    const whole = new Uint8Array(spans.reduce((sum, { size }) => sum + size, 0))
    for (const { at, size, name } of spans) {
      const bytes = members[name]
      assert.ok(bytes !== undefined || name === 'zero', name)
      if (bytes !== undefined) whole.set(bytes.slice(-size), at)
    }
    return keccak256(whole)
  }
  const hashes = leaves.slice(0, 2).map((leaf) =>
    make('leaf', {
      index: word(BigInt(leaf.index)),
      amount: word(leaf.amount),
      device: addressBytes(leaf.device),
    }),
  )
  const tree = paymenttree.paymentTree()
  for (const leaf of leaves.slice(0, 2)) tree.set(leaf)
  const root = make('node', {
    'left hash': hashes[0] as Uint8Array,
    'right hash': hashes[1] as Uint8Array,
    'tag, ASCII `paytree1`': utf8('paytree1'),
    'left sum': word(leaves[0]?.amount ?? 0n),
    'right sum': word(leaves[1]?.amount ?? 0n),
  })
  assert.deepEqual(root, tree.root().root)
})

test('session, order and sold messages are laid out as their tables say', async () => {
  const start = (kind: string) =>
    new Map(
      table(section(wire, '18. Sessions'), 'at', 'bytes', kind).map((row) => [
        (row[kind] ?? '').split(/[, ]/)[0],
        Number(row.at),
      ]),
    )
  const keys = {
    id: new Uint8Array(16).fill(7),
    ask: secretOf(1),
    answer: secretOf(2),
    keys: secretOf(3),
  }
  const nonce = new Uint8Array(12).fill(9)
  const message = session.sealMessage('answer', keys, 0x0102n, utf8('x'), () => nonce)
  const at = start('session message')
  assert.deepEqual(message.slice(at.get('session'), at.get('counter')), keys.id)
  assert.equal(new DataView(message.buffer).getBigUint64(at.get('counter') ?? 0), 0x0102n)
  assert.deepEqual(message.slice(at.get('nonce'), at.get('AES-256-GCM')), nonce)
  assert.equal(message.length, (at.get('AES-256-GCM') ?? 0) + 1 + 16)

  const pair = await session.generateSessionKey()
  const sealed = await session.sealOrder({
    order: utf8('x'),
    session: pair,
    recipient: pair.publicKey,
  })
  const order = start('order message')
  assert.deepEqual(sealed.message.slice(order.get('session'), order.get('enc')), pair.publicKey)
  assert.equal(sealed.message.length, (order.get('ciphertext') ?? 0) + 1 + 16)

  const list = await sold.sealSold([], device, pair.publicKey)
  assert.equal(list.length, (start('sold message').get('ciphertext') ?? 0) + 1 + 16)
  assert.deepEqual([message[0], sealed.message[0], list[0]], [3, 1, 5])
})

test('every type string stands in the page, and no other', () => {
  const [block = ''] = fenced(section(wire, '15. Channels, vouchers, splits'), 'text')
  assert.deepEqual(block.trim().split('\n'), Object.values(typeStrings))
})

test('the refusals are those of the code, word for word', () => {
  const rows = table(section(wire, '23. Refusals'), 'code', 'says', 'cure')
  const said = rows.map(({ code = '', says, cure }) => [code, { says, cure }])
  assert.deepEqual(Object.fromEntries(said), refusals)
})

test('the limits are those of the code', () => {
  const modules = { ...header, ...keytree, ...envelope, ...clearbody, ...signed, ...enrolment }
  const money = { ...session, ...hpke, ...order, ...paymenttree, ...request, ...answer }
  const lists = { ...cbor, ...keysbody, ...grant, ...ack, ...sold, ...evidence }
  const exported: Readonly<Record<string, unknown>> = { ...modules, ...money, ...lists }
  const rows = table(section(wire, '24. Limits'), 'limit', 'value', 'of')
  for (const { limit = '', value } of rows) assert.equal(exported[limit], Number(value), limit)
  const numbers = Object.keys(exported).filter((name) => typeof exported[name] === 'number')
  assert.deepEqual(numbers.sort(), rows.map(({ limit }) => limit).sort(), 'no limit is left out')
})

test('the topics are those of the code', () => {
  const rows = table(section(wire, '14. Topics'), 'topic', 'retained', 'written by', 'payload')
  const made = Object.values(topics(device)).map((topic) =>
    typeof topic === 'string' ? topic : topic('NAME'),
  )
  const written = rows.map(
    ({ topic = '' }) => `wayside/1/${device}/${topic.replace(/<stream>|<session>/, 'NAME')}`,
  )
  assert.deepEqual(written.sort(), made.sort())
})

test('the units are those of the code', () => {
  const listed = section(wire, '28. Units')
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .flatMap((line) => line.trim().split(' '))
  assert.deepEqual(listed.sort(), Object.keys(units).sort())
})

test('what the page quotes of the CDDL stands in wire.cddl, and every name there is defined', () => {
  const rules = new Set(
    cddl.split(/\n(?=[a-z])/).map((rule) => rule.replace(/\n[\n;][\s\S]*$/, '').trim()),
  )
  const quoted = fenced(wire, 'cddl').flatMap((block) => block.split(/\n(?=[a-z])/))
  assert.ok(quoted.length > 20)
  for (const rule of quoted) assert.ok(rules.has(rule.trim()), rule)

  const bare = cddl.replace(/;.*$/gm, '').replace(/"[^"]*"/g, '')
  const defined = new Set([...bare.matchAll(/^([a-z][a-z0-9-]*) =/gm)].map(([, name]) => name))
  const prelude = ['uint', 'int', 'float', 'number', 'bool', 'tstr', 'bstr']
  const used = bare.replace(/[A-Za-z][A-Za-z0-9]*:/g, '').matchAll(/(?<![.\w-])[a-z][a-z0-9-]*/g)
  for (const [name] of used) assert.ok(defined.has(name) || prelude.includes(name), name)
})

test('every digest of the worked example is what the code computes', () => {
  const example = section(wire, '27. One epoch by hand')
  const [first] = JSON.parse(page('test/vectors/wire/epoch.json')) as Record<string, string>[]
  assert.ok(first)
  const { content, salt } = keytree.epochKeys(unhex(first.leafKey as string))
  const tree = [...example.matchAll(/\b[0-9a-f]{64}\b/g)].map(([digest]) => digest)
  const known = JSON.stringify(first) + hex(concat(content, salt))
  const computed = tree.filter((digest) => !known.includes(digest))
  assert.equal(computed.length, 4, 'three leaves and the node above two of them')
  const [one, two, three, node] = computed.map((digest) => unhex(digest)) as Uint8Array[]
  const join = (left?: Uint8Array, right?: Uint8Array) =>
    sha256(Uint8Array.of(1), left as Uint8Array, right as Uint8Array)
  assert.deepEqual(join(one, two), node)
  assert.ok(known.includes(hex(join(node, three)).slice(2)))
})

test('every link within the page leads to a heading', () => {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replace(/ /g, '-')
  const headings = new Set([...wire.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => slug(text)))
  const links = [...wire.matchAll(/\]\(#([^)]*)\)/g)].map(([, link = '']) => link)
  assert.ok(links.length > 28)
  assert.deepEqual(
    links.filter((link) => !headings.has(link)),
    [],
  )
})

/** Offsets of bytes that differ outside the span; fails when none differs inside. */
function outside(before: Uint8Array, after: Uint8Array, at: number, size: number): number[] {
  const differ = [...before.keys()].filter((i) => before[i] !== after[i])
  assert.ok(differ.some((i) => i >= at && i < at + size))
  return differ.filter((i) => i < at || i >= at + size)
}
