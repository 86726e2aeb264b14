/** The driver in docs/add-a-driver.md is a real one. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Driver } from '../../runtime/sense/driver.ts'
import { doubts, hear, sayings } from './bench.ts'

const root = new URL('../../', import.meta.url)

test('the driver of the guide reads the example of its data sheet', async () => {
  const guide = await readFile(new URL('docs/add-a-driver.md', root), 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(guide) ?? []
  const folder = await mkdtemp(join(tmpdir(), 'wayside-guide-'))
  const file = join(folder, 'sds011.ts')
  await writeFile(file, code.replace("'../runtime/", `'${new URL('runtime/', root).href}`))
  const { sds011 } = (await import(pathToFileURL(file).href)) as { sds011: Driver }
  await rm(folder, { recursive: true })
  const frame = Buffer.from('aac0d4043a0aa1601dab', 'hex')
  assert.deepEqual(sayings(hear(sds011, frame))[0]?.values, { pm2_5: 123.6, pm10: 261.8 })
  frame[3] = 5
  assert.deepEqual(doubts(hear(sds011, frame)), ['bad checksum'])
})
