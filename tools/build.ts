/**
 * Builds dist/ for the package: `node tools/build.ts`.
 *
 * A clone runs the TypeScript as it is; Node refuses to strip types inside node_modules, so what is
 * installed is bundled JavaScript. Packages stay outside, #crypto becomes its Node file, dynamic imports
 * stay files of their own, so that a command loads only what it uses.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { verifyPage } from './verifypage.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const from = (path: string) => join(root, path)

rmSync(dist, { recursive: true, force: true })

await build({
  entryPoints: {
    main: from('runtime/main.ts'),
    'store-worker': from('runtime/store/worker.ts'),
    buyer: from('runtime/buyer/index.ts'),
    driver: from('runtime/sense/driver.ts'),
    conformance: from('runtime/sense/conformance.ts'),
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  packages: 'external',
  alias: { '#crypto': from('runtime/wire/crypto/node.ts') },
  chunkNames: 'part-[hash]',
})

for (const name of ['model.onnx', 'model.json', 'README.md']) {
  cpSync(from(`models/anomaly/${name}`), join(dist, 'models/anomaly', name))
}

writeFileSync(join(dist, 'verify.html'), await verifyPage())

const types = join(dist, 'types')
execFileSync(
  process.execPath,
  [from('node_modules/typescript/bin/tsc'), '-p', from('tools/package/tsconfig.json')],
  { stdio: 'inherit' },
)
for (const [name, path] of Object.entries({
  buyer: 'buyer/index',
  driver: 'sense/driver',
  conformance: 'sense/conformance',
})) {
  writeFileSync(join(dist, `${name}.d.ts`), `export * from './types/runtime/${path}.js'\n`)
}
console.error(`built ${dist} (types in ${types})`)
