import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * What goes into the compiler: our sources, its settings, and the versions it is pinned to.
 *
 * The hash over all of it is written beside each artifact, so that a test without a compiler can tell
 * whether the committed code still is what the sources say.
 */
export const folder = fileURLToPath(new URL('.', import.meta.url))

/** The settings of solc's standard JSON; foundry.toml says the same to forge. */
export const settings = {
  evmVersion: 'prague',
  viaIR: true,
  // The contracts are deployed once and called for years: code size gives way to gas.
  optimizer: { enabled: true, runs: 1_000_000 },
  // No hash of the metadata in the code: a comment changed must not change what is deployed.
  metadata: { bytecodeHash: 'none', appendCBOR: false },
} as const

/** Our Solidity by path, in order of path. */
export function sources(): ReadonlyMap<string, string> {
  const names = readdirSync(`${folder}src`).filter((name) => name.endsWith('.sol'))
  return new Map(
    names.sort().map((name) => [`src/${name}`, readFileSync(`${folder}src/${name}`, 'utf8')]),
  )
}

/** SHA-256 in hex over sources, settings and pinned versions. */
export function sourceHash(): string {
  const pins = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).dependencies
  const whole = JSON.stringify([pins, settings, [...sources()]])
  return createHash('sha256').update(whole).digest('hex')
}
