import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { Fault } from '../../runtime/faults.ts'
import { openWindow, type Views } from '../../runtime/watch/http.ts'

const fine: Views = {
  health: async () => ({ ok: true, readings: 3 }),
  metrics: async () => ({ body: 'wayside_x 1\n', type: 'text/plain; version=0.0.4' }),
}

async function withWindow(views: Views, look: (url: string) => Promise<void>) {
  const window = await openWindow('127.0.0.1', 0, views)
  await look(window.url)
  await window.close()
}

test('/health answers 200 with the document while all is well, and 503 with it when not', async () => {
  await withWindow(fine, async (url) => {
    const answer = await fetch(`${url}/health?pretty`)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.deepEqual(await answer.json(), { ok: true, readings: 3 })
  })
  const ill = { ...fine, health: async () => ({ ok: false, problems: ['no line'] }) }
  await withWindow(ill, async (url) => {
    const answer = await fetch(`${url}/health`)
    assert.equal(answer.status, 503)
    assert.deepEqual(await answer.json(), { ok: false, problems: ['no line'] })
  })
})

test('/metrics answers with the type that Prometheus asks for', async () => {
  await withWindow(fine, async (url) => {
    const answer = await fetch(`${url}/metrics`)
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4')
    assert.equal(await answer.text(), 'wayside_x 1\n')
  })
})

test('other paths are 404 and other methods 405, each with a word on what there is', async () => {
  await withWindow(fine, async (url) => {
    for (const path of ['/', '/healthy', '/../etc/passwd', '/metrics/x']) {
      const answer = await fetch(`${url}${path}`)
      assert.equal(answer.status, 404, path)
      assert.match(await answer.text(), /\/health and \/metrics/)
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await fetch(`${url}/health`, { method })
      assert.equal(answer.status, 405, method)
      assert.equal(answer.headers.get('allow'), 'GET, HEAD')
    }
  })
})

test('a check that asks by HEAD hears the status and no more', async () => {
  await withWindow(fine, async (url) => {
    const answer = await fetch(`${url}/health`, { method: 'HEAD' })
    assert.equal(answer.status, 200)
    assert.equal(await answer.text(), '')
  })
})

test('a view that fails is a 500 without its reason, and the window stays open', async () => {
  const broken = { ...fine, health: () => Promise.reject(new Error('the path /secret is gone')) }
  await withWindow(broken, async (url) => {
    const answer = await fetch(`${url}/health`)
    assert.equal(answer.status, 500)
    assert.doesNotMatch(await answer.text(), /secret/)
    assert.equal((await fetch(`${url}/metrics`)).status, 200)
  })
})

test('a taken port is a fault with a cure', async () => {
  await withWindow(fine, async (url) => {
    const port = Number(new URL(url).port)
    await assert.rejects(openWindow('127.0.0.1', port, fine), (error) => {
      assert.ok(error instanceof Fault)
      assert.equal(error.code, 'WATCH_PORT')
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: .*EADDRINUSE`))
      assert.match(error.cure, /watch\.port/)
      return true
    })
  })
})

test('closing does not wait for somebody who keeps a connection open', async () => {
  const window = await openWindow('127.0.0.1', 0, fine)
  const idle = request(`${window.url}/health`, { method: 'POST' })
  idle.on('error', () => {})
  idle.flushHeaders()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await window.close()
  idle.destroy()
})
