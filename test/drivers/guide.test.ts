/** The driver and the table in docs/add-a-driver.md are real ones. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { drivers } from '../../drivers/index.ts'
import { encodeAnswer } from '../../drivers/modbus/answer.ts'
import { encodeRequest } from '../../drivers/modbus/request.ts'
import { readYaml } from '../../runtime/config/yamlfile.ts'
import { chooseDriver } from '../../runtime/sense/choose.ts'
import { conformance } from '../../runtime/sense/conformance.ts'
import { type Decoder, decoder } from '../../runtime/sense/decoder.ts'
import type { Driver } from '../../runtime/sense/driver.ts'
import { lineTableSchema } from '../../runtime/sense/linetable.ts'
import { profileSchema } from '../../runtime/sense/profile.ts'
import { doubts, hear, sayings } from './bench.ts'

const root = new URL('../../', import.meta.url)

test('the driver of the guide reads the example of its data sheet', async () => {
  const guide = await readFile(new URL('docs/add-a-driver.md', root), 'utf8')
  const sds011 = await driverIn(guide, 'sds011')
  const frame = Buffer.from('aac0d4043a0aa1601dab', 'hex')
  assert.deepEqual(sayings(hear(sds011, frame))[0]?.values, { pm2_5: 123.6, pm10: 261.8 })
  frame[3] = 5
  assert.deepEqual(doubts(hear(sds011, frame)), ['bad checksum'])
})

test('the driver of the guide that asks is held to what every driver is held to', async () => {
  const guide = await readFile(new URL('docs/add-a-driver.md', root), 'utf8')
  const cm1106 = await driverIn(guide, 'cm1106')
  const capture = Buffer.from('160501025800008a', 'hex')
  assert.deepEqual(sayings(hear(cm1106, capture))[0]?.values, { co2: 600 })
  const answer = (question: Uint8Array) =>
    Buffer.from(question).toString('hex') === '110101ed' ? capture : undefined
  for (const { hold } of conformance(cm1106, { capture, answer, readings: 1 })) await hold()
})

test('the package of the guide is one, and its test imports all that it uses', async () => {
  const guide = await readFile(new URL('docs/add-a-driver.md', root), 'utf8')
  const [, about = ''] = /```json\n(\{\n {2}"name".*?)```/s.exec(guide) ?? []
  const { exports, peerDependencies } = JSON.parse(about) as Record<string, unknown>
  assert.deepEqual([exports, peerDependencies], ['./index.js', { wayside: '*' }])
  const [, kit = ''] = /```js\n(.*?)```/s.exec(guide) ?? []
  for (const [, used = ''] of kit.matchAll(/\b(readFileSync|test|conformance|drivers)[([]/g)) {
    assert.match(kit, new RegExp(`^import \\{ ${used} \\}`, 'm'))
  }
})

test('the table of the guide is one, and reads what a device with it would say', async () => {
  const guide = await readFile(new URL('docs/add-a-driver.md', root), 'utf8')
  const [, yaml = ''] = /```yaml\n(title:.*?)```/s.exec(guide) ?? []
  const read = readYaml(profileSchema, yaml)
  const profile = read.ok ? read.value : assert.fail(JSON.stringify(read.problems))
  const { driver, options } = chooseDriver(drivers, 'modbus', { profile })
  assert.deepEqual(driver.serial, { baudRate: 9600, parity: 'even', stopBits: 1 })
  const heat = (errors: number) =>
    sayings(answered(decoder(driver, options), [1_500, 0x8000, 42, 1, 1, errors]))
  assert.deepEqual(heat(0)[0]?.values, {
    ...{ flow: 1.5, '6-0:1.0.0': 65_578, leak: true, errors: 0 },
  })
  assert.deepEqual(heat(0x10), [])
})

test('the table of lines in the guide is one, and reads what a sketch prints', async () => {
  const guide = await readFile(new URL('docs/add-a-driver.md', root), 'utf8')
  const [, yaml = ''] = /```yaml\n(title: Weather.*?)```/s.exec(guide) ?? []
  const read = readYaml(lineTableSchema, yaml)
  const table = read.ok ? read.value : assert.fail(JSON.stringify(read.problems))
  const { driver } = chooseDriver(drivers, 'lines', { table })
  const said = sayings(hear(driver, 'setup done\r\nDATA 21.5,nan,3712\r\n', { table }))
  assert.deepEqual(
    said.map(({ values }) => values),
    [{ temperature: 21.5, battery: 3.712 }],
  )
})

/** The driver of this name as the guide prints it. */
async function driverIn(guide: string, name: string): Promise<Driver> {
  const codes = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)
  const code = codes.find((one) => one.includes(`export const ${name} `)) ?? assert.fail(name)
  const folder = await mkdtemp(join(tmpdir(), 'wayside-guide-'))
  const file = join(folder, `${name}.ts`)
  await writeFile(file, code.replace("'../runtime/", `'${new URL('runtime/', root).href}`))
  const module = (await import(pathToFileURL(file).href)) as Record<string, Driver>
  await rm(folder, { recursive: true })
  return module[name] ?? assert.fail(name)
}

/** What these registers, asked for and told, are heard as. */
function answered(work: Decoder, registers: readonly number[]) {
  work.push(encodeRequest(3, { function: 4, address: 0, count: registers.length }))
  return work.push(encodeAnswer(3, { function: 4, registers }))
}
