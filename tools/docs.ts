/**
 * Writes the pages that the code knows best: `npm run docs`.
 *
 * docs/drivers.md is `wayside drivers --markdown`. In docs/faults.md the table is runtime/faults.ts; the
 * prose above it and the retired codes below it are a person's. In the README it is the table of sensors.
 * Tests hold the pages to the code.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { drivers } from '../drivers/index.ts'
import { driversPage } from '../runtime/commands/drivers.ts'
import { type FaultRow, faults } from '../runtime/faults.ts'
import { readmePage } from './support.ts'

/** The faults page with this code's table in the place of the one that it has. */
export function faultsPage(page: string): string {
  const rows = Object.entries(faults).map(
    ([code, { exit, says, cure }]: [string, FaultRow]) =>
      `| \`${code}\` | ${exit} | ${says} | ${cure} |`,
  )
  const head = ['| code | exit | says | cure |', '| --- | --- | --- | --- |']
  const [before = '', after = ''] = page.split(/^\| code [\s\S]*?(?=^## Retired)/m)
  return `${before}${[...head, ...rows].join('\n')}\n\n${after}`
}

if (import.meta.main) {
  const page = new URL('../docs/faults.md', import.meta.url)
  writeFileSync(page, faultsPage(readFileSync(page, 'utf8')))
  writeFileSync(new URL('../docs/drivers.md', import.meta.url), driversPage(drivers))
  const readme = new URL('../README.md', import.meta.url)
  writeFileSync(readme, readmePage(readFileSync(readme, 'utf8'), drivers))
}
