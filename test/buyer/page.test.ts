/** The verify page, in a browser. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { makeEvidence } from '../../runtime/wire/evidence.ts'
import { verifyPage } from '../../tools/verifypage.ts'
import { device, enrolled, operator, sampleEpoch } from '../wire/sample.ts'

const browserPath = '/usr/bin/chromium'
const skip = existsSync(browserPath) ? false : 'needs chromium (apt-get install chromium)'

test('the verify page is one file that loads nothing', async () => {
  const html = await verifyPage()
  assert.ok(html.length > 30_000 && html.length < 300_000, `${html.length} characters`)
  assert.doesNotMatch(html, /<(link|img|iframe)|<script[^>]* src=|node:/)
})

test('the verify page says in a browser what the command says, and asks no network', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-page-'))
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] })
  t.after(async () => {
    await browser.close()
    await rm(folder, { recursive: true })
  })
  const html = join(folder, 'verify.html')
  await writeFile(html, await verifyPage())
  const { sealed, opened } = sampleEpoch({ count: 5 })
  const evidence = makeEvidence({
    pack: opened.packs[2] as Uint8Array,
    salt: opened.salts[2] as Uint8Array,
    index: 2,
    path: opened.tree.path(2),
    headerBytes: sealed.headerBytes,
    signature: sealed.signature,
    enrolment: await enrolled(),
  })
  const good = join(folder, 'good.evidence')
  const bent = join(folder, 'bent.evidence')
  await writeFile(good, evidence)
  await writeFile(
    bent,
    evidence.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
  )

  const page = await browser.newPage()
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(`file://${html}`)
  const verdict = page.locator('#verdict')
  await page.setInputFiles('#file', good)
  await page.locator('[data-holds=yes]').waitFor()
  const said = (await verdict.textContent()) ?? ''
  assert.match(said, /^It holds/)
  assert.ok(said.includes('air: pm1 7 ug/m3, pm2_5 8.5 ug/m3, pm10 11 ug/m3'), said)
  assert.ok(said.includes(`whom operator ${operator} enrolled as device ${device}`), said)
  await page.fill('#operator', device)
  await page.locator('[data-holds=no]').waitFor()
  await page.fill('#operator', operator)
  await page.locator('[data-holds=yes]').waitFor()
  await page.setInputFiles('#file', [good, bent])
  await page.locator('[data-holds=no]').waitFor()
  assert.match((await verdict.textContent()) ?? '', /bent\.evidence: it does not hold/)
  assert.deepEqual(requests, [`file://${html}`])
})
