/** Files of a login that are swapped: taken once they stand still. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { openLogin } from '../../runtime/link/login.ts'

const everyMs = 2_000
const turn = () => new Promise((done) => setImmediate(done))

test('a password that is still being written is taken when two looks in a row agree, and not before', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-login-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const passwordFile = join(folder, 'password')
  let looks = 0
  const write = (password: string) => {
    writeFileSync(passwordFile, password, { mode: 0o600 })
    // A clock of its own: two writes may fall into one tick of the disk's.
    looks += 1
    utimesSync(passwordFile, looks, looks)
  }
  write('old')
  const taken: string[] = []
  const settings = { url: 'mqtt://127.0.0.1', username: 'me', passwordFile }
  const files = openLogin(settings, everyMs, {
    taken: (news) => void taken.push(news),
    kept: (why) => assert.fail(why),
  })
  const end = new AbortController()
  const watching = files.watch(end.signal)
  const look = async () => {
    mock.timers.tick(everyMs)
    await turn()
  }
  for (const part of ['n', 'ne', 'new']) {
    write(part)
    await look()
    assert.deepEqual(taken, [], part)
  }
  await look()
  assert.deepEqual(taken, ['password'])
  assert.equal(files.now().password, 'new')
  await look()
  assert.deepEqual(taken, ['password'])
  end.abort()
  await watching
})
