/** The window that operators look through: GET /health and GET /metrics, on this machine only by default. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fault } from '../faults.ts'

export type Window = { readonly url: string; close(): Promise<void> }

export type Views = {
  /** `ok: false` answers 503, so that a plain HTTP check is a health check. */
  health(): Promise<{ readonly ok: boolean }>
  metrics(): Promise<{ readonly body: string; readonly type: string }>
}

/** Serves the views; port 0 takes a free one. Throws the fault WATCH_PORT when the port is taken. */
export async function openWindow(host: string, port: number, views: Views): Promise<Window> {
  const server = createServer((request, response) => {
    answer(request, response, views).catch(() => {
      send(response, 500, 'could not be read just now\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(fault('WATCH_PORT', { host, port, why: cause.message }, cause)),
    )
    server.listen(port, host, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  views: Views,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return send(response, 405, 'only GET and HEAD are answered here\n')
  }
  const path = request.url?.split('?')[0]
  if (path === '/health') {
    const found = await views.health()
    const body = `${JSON.stringify(found, null, 2)}\n`
    return send(response, found.ok ? 200 : 503, body, 'application/json')
  }
  if (path === '/metrics') {
    const { body, type } = await views.metrics()
    return send(response, 200, body, type)
  }
  return send(response, 404, 'here are /health and /metrics\n')
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  if (response.headersSent) return
  response.writeHead(status, { 'content-type': type }).end(body)
}
