/** The kit of every driver, run on sensors that an option makes asked ones, and on a table of lines. */
import { test } from 'node:test'
import { lines } from '../../drivers/lines/index.ts'
import { plantower } from '../../drivers/plantower.ts'
import { sds011 } from '../../drivers/sds011.ts'
import { conformance } from '../../runtime/sense/conformance.ts'
import { samples } from './samples.ts'

const answering = {
  plantower: (question: Uint8Array) => (question[2] === 0xe2 ? samples.plantower : undefined),
  sds011: (question: Uint8Array) => (question[2] === 0x04 ? samples.sds011 : undefined),
}

for (const driver of [plantower, sds011]) {
  const id = driver.id as keyof typeof answering
  for (const every of ['5s', '2min']) {
    const evidence = {
      capture: samples[id] as Uint8Array,
      options: { mode: 'ask', every },
      answer: answering[id],
    }
    for (const { says, hold } of conformance(driver, evidence))
      test(`asked every ${every}, ${says}`, hold)
  }
}

const table = {
  columns: ['t', 'h'],
  fields: { temperature: { from: 't', unit: 'Cel' }, humidity: { from: 'h' } },
}
const capture = Buffer.from('21.5,40\r\n21.6,nan\r\n21.7,41\r\n')
for (const { says, hold } of conformance(lines, { capture, options: { table }, readings: 2 })) {
  test(`with a table, ${says}`, hold)
}
