/** The window that operators look through: GET /health and GET /metrics, on this machine only by default. */
import { createServer, type ServerResponse } from 'node:http'
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
    const path = request.url?.split('?')[0]
    const answer =
      request.method !== 'GET'
        ? send(response, 405, 'only GET is answered here\n')
        : path === '/health'
          ? views.health().then((found) => {
              const body = `${JSON.stringify(found, null, 2)}\n`
              return send(response, found.ok ? 200 : 503, body, 'application/json')
            })
          : path === '/metrics'
            ? views.metrics().then(({ body, type }) => send(response, 200, body, type))
            : send(response, 404, 'here are /health and /metrics\n')
    Promise.resolve(answer).catch(() => send(response, 500, 'could not be read just now\n'))
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

function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  if (response.headersSent) return
  response.writeHead(status, { 'content-type': type }).end(body)
}
