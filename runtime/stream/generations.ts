/**
 * Generations: the secrets from which epoch keys come. Each is 32 random bytes in a file of its own,
 * never derived and never in the database, so that destroying the file erases what was sealed under it.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eraseSecret, isErased, openSecret, readSecret } from '../disk/secret.ts'
import { makeFolder } from '../disk/write.ts'
import { fault } from '../faults.ts'
import {
  type Below,
  cover,
  type KeyNode,
  leafKey,
  rememberedBelow,
  streamRoot,
} from '../wire/keytree.ts'

export type Generations = {
  /** The newest; epochs are made under it. */
  readonly current: number
  /** The key of one epoch. Throws GENERATION_MISSING. */
  leafKey(stream: string, generation: number, number: number): Uint8Array
  /** The fewest keys that open from..to and nothing else. Throws GENERATION_MISSING. */
  cover(stream: string, generation: number, from: number, to: number): KeyNode[]
  /** Whether its secret is here. */
  has(generation: number): boolean
  /** Destroys the secret of one that is not the current: nobody opens it any more, we neither. */
  destroy(generation: number): Promise<void>
}

export type GenerationOptions = {
  readonly random: (length: number) => Uint8Array
  /** Begin another generation now: after a leak, a change of owner, every 90 days. */
  readonly renew?: boolean
  /** Begin this generation, unless it is there: after lost books. */
  readonly at?: number
}

/** The generations in `folder`; the first start makes number 1. Throws KEY_UNREADABLE, KEY_EXPOSED. */
export async function openGenerations(
  folder: string,
  { random, renew = false, at }: GenerationOptions,
): Promise<Generations> {
  await makeFolder(folder)
  const pathOf = (generation: number) => join(folder, `generation-${generation}.key`)
  const secrets = new Map<number, Uint8Array>()
  for (const name of await readdir(folder)) {
    const number = Number(/^generation-([1-9]\d{0,9})\.key$/.exec(name)?.[1])
    if (number > 0 && (await isErased(pathOf(number)))) await eraseSecret(pathOf(number))
    const secret = number > 0 ? await readSecret(pathOf(number)) : undefined
    if (secret !== undefined) secrets.set(number, secret)
  }
  const newest = Math.max(0, ...secrets.keys())
  const current = at ?? (renew || newest === 0 ? newest + 1 : newest)
  if (!secrets.has(current)) {
    secrets.set(current, await openSecret(pathOf(current), random))
  }

  const rootOf = (stream: string, generation: number): KeyNode => {
    const secret = secrets.get(generation)
    if (secret === undefined) throw fault('GENERATION_MISSING', { generation, folder })
    return streamRoot(secret, stream)
  }
  const blockOf = blockCache(rootOf)
  /** What was derived below the root of each stream, generation by generation. */
  const derived = new Map<number, Map<string, Tree>>()

  function treeOf(stream: string, generation: number): Tree {
    const trees = derived.get(generation) ?? new Map<string, Tree>()
    const tree = trees.get(stream) ?? { root: rootOf(stream, generation), below: rememberedBelow() }
    derived.set(generation, trees.set(stream, tree))
    return tree
  }

  return {
    current,
    leafKey(stream, generation, number) {
      const leaf = leafKey([blockOf(stream, generation, number)], number)
      if (leaf === undefined) throw new RangeError('an epoch number has 32 bits')
      return leaf
    },
    cover(stream, generation, from, to) {
      const { root, below } = treeOf(stream, generation)
      return cover(root, from, to, below)
    },
    has: (generation) => secrets.has(generation),
    async destroy(generation) {
      if (generation === current) throw new RangeError('the current generation is in use')
      // First: what the disk refuses to forget must be tried again.
      await eraseSecret(pathOf(generation))
      secrets.get(generation)?.fill(0)
      secrets.delete(generation)
      derived.delete(generation)
    },
  }
}

type Tree = { readonly root: KeyNode; readonly below: Below }

/**
 * The node above `blockSize` consecutive numbers, kept for the newest block of every stream: numbers run
 * upwards, and the way down from the root is 32 HMACs.
 */
function blockCache(rootOf: (stream: string, generation: number) => KeyNode) {
  const kept = new Map<string, { readonly generation: number; readonly node: KeyNode }>()
  return (stream: string, generation: number, number: number): KeyNode => {
    const block = Math.floor(number / blockSize)
    const held = kept.get(stream)
    if (held?.generation === generation && held.node.prefix === block) return held.node
    const first = block * blockSize
    const [node] = cover(rootOf(stream, generation), first, first + blockSize - 1)
    if (node === undefined) throw new RangeError('an epoch number has 32 bits')
    kept.set(stream, { generation, node })
    return node
  }
}

const blockSize = 256
