/**
 * Compiles the contracts into generated/, which is committed so that nobody else needs a compiler.
 *
 * `node build.ts` writes; `node build.ts --check` writes nothing and ends with 1 if anything would change.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Artifact } from './artifacts.ts'
import { compile } from './solc.ts'
import { folder, settings, sourceHash, sources } from './sources.ts'

const published = [
  'BatchSettlement',
  'Eip3009Collector',
  'Permit2Collector',
  'DevPermit2',
  'DevToken',
  'DevPlainToken',
  'Multicall3',
]

type Output = {
  readonly errors?: readonly Problem[]
  readonly contracts: Readonly<Record<string, Readonly<Record<string, Compiled>>>>
}
type Problem = {
  readonly severity: string
  readonly formattedMessage: string
  readonly sourceLocation?: { readonly file: string }
}
type Compiled = {
  readonly abi: Artifact['abi']
  readonly evm: {
    readonly bytecode: { readonly object: string }
    readonly deployedBytecode: {
      readonly object: string
      readonly immutableReferences: Readonly<Record<string, readonly { readonly start: number }[]>>
    }
  }
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const built = build()
let stale = 0
for (const [name, text] of built) {
  const path = `${folder}generated/${name}.json`
  if (!values.check) writeFileSync(path, text)
  else if (read(path) !== text) {
    stale += 1
    process.stderr.write(
      `generated/${name}.json is not what its sources compile to: npm run build\n`,
    )
  }
}
process.exitCode = stale === 0 ? 0 : 1

function build(): ReadonlyMap<string, string> {
  const output: Output = JSON.parse(
    compile(
      JSON.stringify({
        language: 'Solidity',
        sources: Object.fromEntries([...sources()].map(([path, content]) => [path, { content }])),
        settings: {
          ...settings,
          outputSelection: {
            '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode'] },
          },
        },
      }),
    ),
  )
  // Warnings about a dependency's own lines are its author's to heed, not ours.
  const problems = (output.errors ?? []).filter(
    ({ severity, sourceLocation }) =>
      severity === 'error' || !sourceLocation?.file.startsWith('@openzeppelin/'),
  )
  for (const problem of problems) process.stderr.write(`${problem.formattedMessage}\n`)
  if (problems.length > 0) throw new Error('solc is not content')
  const hash = sourceHash()
  return new Map(
    published.map((name) => {
      const compiled = output.contracts[`src/${name}.sol`]?.[name]
      if (compiled === undefined) throw new Error(`no contract ${name} in src/${name}.sol`)
      return [name, `${JSON.stringify(artifact(name, hash, compiled), null, 1)}\n`]
    }),
  )
}

function artifact(name: string, hash: string, { abi, evm }: Compiled): Artifact {
  const references = Object.values(evm.deployedBytecode.immutableReferences)
  if (references.length > 1) throw new Error(`${name} has more than one immutable`)
  return {
    name,
    sourceHash: hash,
    creation: `0x${evm.bytecode.object}`,
    runtime: `0x${evm.deployedBytecode.object}`,
    settlementAt: references.flat().map(({ start }) => start),
    abi,
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
