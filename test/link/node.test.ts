import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../runtime/faults.ts'
import {
  chainIdOf,
  codeAt,
  feesAt,
  gasFor,
  headOf,
  nonceOf,
  receiptOf,
  translate,
  view,
} from '../../runtime/link/node.ts'
import { type Rpc, RpcRefusal } from '../../runtime/link/rpc.ts'
import { Malformed } from '../../runtime/wire/malformed.ts'

const account = `0x${'00'.repeat(20)}` as const
const hash = `0x${'00'.repeat(32)}` as const
const questions: ((node: Rpc) => Promise<unknown>)[] = [
  chainIdOf,
  headOf,
  feesAt,
  (node) => view(node, { to: account, data: '0x' }),
  (node) => codeAt(node, account),
  (node) => nonceOf(node, account),
  (node) => gasFor(node, account, { to: account, data: '0x' }),
  (node) => receiptOf(node, hash),
]

/** What a node might say: JSON of any shape, and the shapes that come close. */
const words = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('0x', '0x0', '0xzz', `0x${'f'.repeat(64)}`, `0x${'f'.repeat(65)}`, '1', null),
  fc.record({ number: fc.jsonValue(), timestamp: fc.jsonValue(), baseFeePerGas: fc.jsonValue() }),
  fc.record({
    transactionHash: fc.constantFrom(hash, '0x'),
    blockHash: fc.constantFrom(hash, 7),
    blockNumber: fc.constantFrom('0x1', '', -1),
    status: fc.constantFrom('0x1', '0x0', null),
    gasUsed: fc.constantFrom('0x5208', 21_000),
    logs: fc.oneof(fc.jsonValue(), fc.array(fc.record({ topics: fc.array(fc.jsonValue()) }))),
  }),
)

test('whatever a node answers is a value or Malformed', async () => {
  const results: string[] = []
  await fc.assert(
    fc.asyncProperty(words, fc.nat(questions.length - 1), async (answer, which) => {
      const node: Rpc = { name: 'x', call: async () => answer }
      try {
        await questions[which]?.(node)
        results.push('value')
      } catch (cause) {
        assert.ok(cause instanceof Malformed, String(cause))
        results.push('malformed')
      }
    }),
    { numRuns: 2_000 },
  )
  assert.ok(results.includes('value') && results.includes('malformed'))
})

test('whatever a node refuses with is a fault that names it', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer(),
      fc.option(fc.string(), { nil: undefined }),
      (said, number, data) => {
        const trouble = translate(new RpcRefusal(said, number, data), 'https://a.example')
        assert.ok(trouble instanceof Fault)
      },
    ),
  )
})

test('a refusal says what the contract said, and an empty account is named as such', () => {
  const revert = new RpcRefusal('execution reverted', 3, '0x')
  assert.equal(translate(revert, 'a').code, 'CHAIN_REFUSED')
  const poor = new RpcRefusal('insufficient funds for gas * price + value', -32_000)
  assert.equal(translate(poor, 'a').code, 'GAS_MISSING')
  assert.equal(
    translate(new RpcRefusal('header not found', -32_000), 'a').code,
    'CHAIN_UNREACHABLE',
  )
})
