import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lazily, openDatabase } from '../../runtime/disk/sqlite.ts'

test('a database and what SQLite puts beside it are the owner’s alone, also one that was not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-sqlite-'))
  t.after(() => rm(folder, { recursive: true }))
  const umask = process.umask(0o022)
  t.after(() => process.umask(umask))
  const path = join(folder, 'a.sqlite')
  for (const mode of [undefined, 0o644]) {
    if (mode !== undefined) await chmod(path, mode)
    const db = openDatabase(path)
    db.exec('CREATE TABLE IF NOT EXISTS t (a INTEGER) STRICT; INSERT INTO t VALUES (1)')
    const names = await readdir(folder)
    assert.deepEqual(names.sort(), ['a.sqlite', 'a.sqlite-shm', 'a.sqlite-wal'])
    for (const name of names) {
      assert.equal(((await stat(join(folder, name))).mode & 0o777).toString(8), '600', name)
    }
    db.close()
  }
})

test('what is done lazily leaves the next commit as durable as ever, also when it fails', () => {
  const db = openDatabase(':memory:')
  const settings = () =>
    ['synchronous', 'wal_autocheckpoint'].map((name) => db.pragma(name, { simple: true }))
  const before = settings()
  const within = lazily(db, settings)
  assert.deepEqual(before[0], 2, 'FULL')
  assert.deepEqual(within, [1, 0], 'NORMAL, and no checkpoint of its own')
  assert.deepEqual(settings(), before)
  const failing = () => {
    throw new RangeError('no')
  }
  assert.throws(() => lazily(db, failing), RangeError)
  assert.deepEqual(settings(), before)
  db.close()
})
