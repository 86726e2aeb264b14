/** Makes the verify page: one HTML file with everything in it, for any web server or none. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = fileURLToPath(new URL('../runtime/buyer/verify-page/', import.meta.url))

/** The page's HTML. Its policy lets this one script run and nothing be loaded from anywhere. */
export async function verifyPage(): Promise<string> {
  const bundle = await build({
    entryPoints: [`${folder}page.ts`],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
  })
  const script = bundle.outputFiles[0]?.text.trim().replaceAll('</script', '<\\/script') ?? ''
  const hash = `sha256-${createHash('sha256').update(script).digest('base64')}`
  const html = await readFile(`${folder}page.html`, 'utf8')
  // Functions, because a replacement text would give `$` a meaning.
  return html
    .replace('{hash}', () => hash)
    .replace('<!-- script -->', () => `<script>${script}</script>`)
}
