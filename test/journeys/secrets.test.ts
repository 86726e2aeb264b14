/**
 * No secret leaves its file: one whole sale with everything said aloud, and every start that fails, and then
 * a search through all of it for every key there was.
 */
import assert from 'node:assert/strict'
import { chmod, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { encryptKeystoreJson } from 'ethers'
import { randomBytes } from '#crypto'
import { chainAvailable } from '../../demo/chain.ts'
import { hex, unhex, utf8 } from '../../runtime/wire/bytes.ts'
import { decodeMessage } from '../../runtime/wire/epoch.ts'
import { epochKeys, leafKey, streamRoot } from '../../runtime/wire/keytree.ts'
import { parseTopic } from '../../runtime/wire/topic.ts'
import { type Heard, leaks, type Secret } from './leaks.ts'
import { change, openScene, type Scene, wayside } from './scene.ts'

const skip = chainAvailable() ? false : 'needs anvil, of which this machine has none'

test('the search finds a secret in every spelling, wherever it stands', () => {
  const bytes = randomBytes(32)
  const text = Buffer.from(bytes)
  const list = new Uint8Array(bytes)
  for (const said of [
    text.toString('latin1'),
    `before${text.toString('latin1')}behind`,
    hex(bytes),
    hex(bytes).toUpperCase(),
    `{"key":"${text.toString('base64')}"}`,
    ...['', 'a', 'ab', 'abc'].flatMap((before) =>
      (['base64', 'base64url'] as const).map((spelling) =>
        Buffer.concat([Buffer.from(before), text, Buffer.from('xyz')]).toString(spelling),
      ),
    ),
    `<Buffer ${[...list].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}>`,
    JSON.stringify({ key: list }),
    JSON.stringify([...list], null, 2),
    `Uint8Array(32) [\n  ${[...list].join(',   ')}\n]`,
  ]) {
    const heard = { where: 'here', bytes: Buffer.from(said, 'latin1') }
    assert.ok(leaks([{ name: 'it', bytes }], [heard]).length > 0, said)
  }
  assert.deepEqual(
    leaks([{ name: 'it', bytes }], [{ where: 'here', bytes: randomBytes(4096) }]),
    [],
  )
})

test('no key of anybody shows in logs, metrics, messages, files of others or failing starts', {
  skip,
  timeout: 280_000,
}, async (t) => {
  const scene = await openScene(t)
  const failing = failingStarts(t, scene)
  const { heard, secrets } = await sale(t, scene)
  heard.push(...(await failing), ...scene.crossed)
  secrets.push(...(await fileSecrets(scene)), ...(await epochSecrets(scene)))
  const words = [scene.password, 'correct-horse', 'wrong-horse'].map((word) => utf8(word))
  const names = new Set(secrets.map(({ name }) => name.replace(/ .*/, '')))
  for (const name of [
    'device.key',
    'hpke.key',
    'generation-1.key',
    'operator.key',
    'gateway.key',
  ]) {
    assert.ok(names.has(name), name)
  }
  for (const name of ['buyer.key', 'session', 'leaf']) assert.ok(names.has(name), name)
  assert.ok(heard.length > 100 && heard.some(({ where }) => where.endsWith('/keys')))
  assert.deepEqual(leaks(secrets, heard), [])
  for (const { where, bytes } of heard) {
    for (const word of words)
      assert.ok(!Buffer.from(bytes).includes(Buffer.from(word)), `${where}: a password`)
  }
  await onlyTheirs(scene)
})

/** Operator, device and buyer at work, in as many words as they have. */
async function sale(t: TestContext, scene: Scene): Promise<{ heard: Heard[]; secrets: Secret[] }> {
  const { world, chain, brokerUrl } = scene
  const { files } = world
  const operator = wayside(t, ['operate', '--config', files.operate, '--json'])
  await operator.said('ready')
  const device = wayside(t, ['run', files.device])
  const { url } = await device.said('watching')
  const evidence = join(world.folder, 'evidence')
  const buyer = wayside(t, [
    ...['buy', '--broker', brokerUrl, '--operator', world.operator, '--stream', 'air'],
    ...['--key', files.buyerKey, '--folder', files.buyerFolder, '--rpc', chain.rpc],
    ...['--budget', '1', '--evidence', evidence, '--json', join(world.folder, 'bought.json')],
  ])
  await buyer.lines(12)
  const secrets = [
    ...sessionSecrets(join(files.buyerFolder, 'buyer.db'), 'session'),
    ...sessionSecrets(join(files.deviceFolder, 'store.sqlite'), 'sale_session'),
    ...sessionSecrets(join(world.folder, 'operator', 'gateway.sqlite'), 'session'),
  ]
  const heard: Heard[] = []
  for (let i = 0; i < 8; i += 1) {
    for (const path of ['health', 'metrics', 'nothing-here']) {
      const bytes = utf8(await (await fetch(`${url}/${path}`)).text())
      heard.push({ where: `/${path}`, bytes })
    }
    await sleep(250)
  }
  for (const one of [buyer, device, operator]) {
    assert.equal(await one.stop(), 0, String(one.heard()[1]?.bytes))
    heard.push(...one.heard())
  }
  for (const name of await readdir(evidence)) {
    heard.push({ where: `evidence ${name}`, bytes: await readFile(join(evidence, name)) })
  }
  for (const path of [join(world.folder, 'bought.json'), join(files.deviceFolder, 'enrolment')]) {
    heard.push({ where: path, bytes: await readFile(path) })
  }
  return { heard, secrets }
}

/** Everything that a person may get wrong about keys: each ends with its own words and exit code 2 or 3. */
async function failingStarts(t: TestContext, { world, password }: Scene): Promise<Heard[]> {
  const folder = join(world.folder, 'failing')
  await mkdir(folder)
  const place = (name: string) => join(folder, name)
  const { buyerKey, device, operate } = world.files
  const key = (await readFile(buyerKey, 'utf8')).trim()
  const keystore = JSON.parse(
    await encryptKeystoreJson({ address: world.buyer, privateKey: key }, utf8('correct-horse'), {
      scrypt: { N: 2, r: 8, p: 1 },
    }),
  )
  const kdfparams = { ...keystore.Crypto.kdfparams, n: 3 }
  const odd = { ...keystore, Crypto: { ...keystore.Crypto, kdfparams } }
  const written: Readonly<Record<string, string>> = {
    'long.key': `${key}ff\n`,
    'short.key': key.slice(0, -1),
    'text.key': `the key is ${key}`,
    'json.key': JSON.stringify({ key }),
    'torn.key': `{"crypto": ${key}`,
    'keystore.json': JSON.stringify(keystore),
    'odd.json': JSON.stringify(odd),
    'wrong.txt': 'wrong-horse\n',
  }
  for (const [name, text] of Object.entries(written)) {
    await writeFile(place(name), text, { mode: 0o600 })
  }
  await writeFile(place('open.key'), key)
  await chmod(place('open.key'), 0o644)
  const buy = ['buy', '--broker', 'mqtt://127.0.0.1:9', '--folder', place('buyer'), '--key']
  const starts = [
    ...['long.key', 'short.key', 'text.key', 'json.key', 'torn.key', 'open.key', 'keystore.json'],
    ...['keystore.json --password-file wrong.txt', 'odd.json --password-file wrong.txt'],
  ].map((text) => {
    const [name = '', ...more] = text.split(' ')
    return [...buy, place(name), ...more.map((word) => (word[0] === '-' ? word : place(word)))]
  })
  starts.push([
    'run',
    await deviceWith('exposed', async (of) => chmod(join(of, 'device.key'), 0o644)),
  ])
  starts.push(['run', await deviceWith('bent', (of) => bend(join(of, 'hpke.key')))])
  for (const [i, more] of [
    { broker: { url: `mqtt://me:${password}@127.0.0.1:1883` } },
    { broker: { url: 'mqtt://127.0.0.1:1883', password } },
    { keys: { operator: place('open.key'), gateway: place('open.key') } },
  ].entries()) {
    const path = place(`config-${i}.json`)
    await cp(i === 2 ? operate : device, path)
    await change(path, (config) => ({ ...config, folder: place(`of-${i}`), ...more }))
    starts.push(i === 2 ? ['operate', '--config', path] : ['run', path])
  }
  const heard: Heard[] = []
  for (const args of starts) {
    const one = wayside(t, args)
    const code = await one.ended
    const said = one.heard()
    assert.ok(code === 2 || code === 3, `${args.join(' ')} ended with ${code}: ${said[1]?.bytes}`)
    // What a person writes on the command line is theirs to hide.
    heard.push(...said.slice(0, 2))
  }
  return heard

  async function deviceWith(name: string, spoil: (folder: string) => Promise<void>) {
    const own = place(name)
    await mkdir(own)
    for (const file of ['device.key', 'hpke.key']) {
      const from = join(world.files.deviceFolder, file)
      const text = await readFile(from, 'utf8').catch(() => key)
      await writeFile(join(own, file), text, { mode: 0o600 })
    }
    await spoil(own)
    await cp(device, place(`${name}.json`))
    await change(place(`${name}.json`), (config) => ({ ...config, folder: own }))
    return place(`${name}.json`)
  }
}

async function bend(path: string): Promise<void> {
  await writeFile(path, `${await readFile(path, 'utf8')}x`)
}

/** Every key file of the sale: 32 bytes as hex digits. */
async function fileSecrets({ world }: Scene): Promise<Secret[]> {
  const secrets: Secret[] = []
  for (const path of await filesOf(world.folder)) {
    if (!path.endsWith('.key') || path.includes('failing')) continue
    const bytes = unhex((await readFile(path, 'utf8')).trim())
    secrets.push({ name: path.replace(/.*\//, ''), bytes })
  }
  return secrets
}

function sessionSecrets(path: string, table: string): Secret[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = db.prepare(`SELECT ask, answer, keys FROM ${table}`).all() as Row[]
    assert.ok(rows.length > 0, `${path} has no session`)
    return rows.flatMap((row) =>
      Object.entries(row).map(([part, bytes]) => ({ name: `session ${part} of ${path}`, bytes })),
    )
  } finally {
    db.close()
  }
}

type Row = Readonly<Record<'ask' | 'answer' | 'keys', Uint8Array>>

/** Root, leaf and both keys of every epoch with a price, paid for or not. */
async function epochSecrets({ world, crossed }: Scene): Promise<Secret[]> {
  const file = join(world.files.deviceFolder, 'generations', 'generation-1.key')
  const secret = unhex((await readFile(file, 'utf8')).trim())
  const roots = ['air', 'hall'].map((stream) => ({
    name: `root of ${stream}`,
    bytes: streamRoot(secret, stream).key,
  }))
  const epochs = crossed.flatMap(({ where, bytes }) => {
    const epoch = parseTopic(where)
    if (epoch?.kind !== 'epoch' || epoch.stream === 'device') return []
    const { stream, number } = decodeMessage(bytes).header
    const leaf = leafKey([streamRoot(secret, stream)], number) as Uint8Array
    const { content, salt } = epochKeys(leaf)
    const of = `of ${stream}/${number}`
    return [
      { name: `leaf ${of}`, bytes: leaf },
      { name: `content key ${of}`, bytes: content },
      { name: `salt key ${of}`, bytes: salt },
    ]
  })
  return [...roots, ...epochs]
}

/** What holds a secret or an unsealed reading is its owner's alone. */
async function onlyTheirs({ world }: Scene): Promise<void> {
  const private_ = (await filesOf(world.folder)).filter(
    (path) => /\.(key|sqlite|db)(-wal|-shm)?$/.test(path) && !path.includes('failing'),
  )
  assert.ok(private_.length >= 10, `${private_.length} files`)
  for (const path of private_) assert.equal((await stat(path)).mode & 0o077, 0, path)
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
}
