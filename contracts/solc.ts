#!/usr/bin/env node
/**
 * The compiler from npm, for our own build and, behind the command line that forge expects, for forge.
 *
 * `solc.ts --version` and `solc.ts --standard-json < input` are all that forge asks for.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { folder } from './sources.ts'

/** Runs standard JSON through solc; what the sources import is read from contracts/ and node_modules. */
export function compile(input: string): string {
  const solc: Solc = createRequire(import.meta.url)('solc')
  return solc.compile(input, { import: readImport })
}

type Solc = {
  compile(input: string, callbacks: { import(path: string): Import }): string
  version(): string
}
type Import = { readonly contents: string } | { readonly error: string }

function readImport(path: string): Import {
  const place = path.startsWith('@') ? `${folder}node_modules/${path}` : `${folder}${path}`
  try {
    return { contents: readFileSync(place, 'utf8') }
  } catch {
    return { error: `${path} is not at ${place}` }
  }
}

if (realpathSync(process.argv[1] ?? '.') === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--standard-json')) {
    process.stdout.write(compile(readFileSync(0, 'utf8')))
  } else {
    const solc: Solc = createRequire(import.meta.url)('solc')
    const version = solc.version().replace('.Emscripten.clang', '.Linux.g++')
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`)
  }
}
