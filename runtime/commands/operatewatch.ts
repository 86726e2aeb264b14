/** The window of `wayside operate`: /health and /metrics of the desk, as a device has them. */
import { type BrokerState, lineHealth } from '../link/standing.ts'
import type { OperatorConfig } from '../operator/config.ts'
import type { Gateway } from '../operator/gateway.ts'
import type { Note } from '../operator/note.ts'
import { openStanding } from '../operator/standing.ts'
import { product } from '../product.ts'
import { type DeskWatch, openDeskWatch } from '../watch/desk.ts'
import { openWindow, type Window } from '../watch/http.ts'
import type { Address } from '../wire/address.ts'

export type DeskWindow = {
  readonly window: Window
  /** Looks how old what is unclaimed has become. */
  look(): void
}

/** What counts the notes of the desk, from the first one on. */
export function watchDesk({ chain }: OperatorConfig): DeskWatch {
  return openDeskWatch(chain.rpcs.map((rpc) => new URL(rpc).origin))
}

/** Serves it. Throws WATCH_PORT. */
export async function openDeskWindow(parts: {
  readonly config: OperatorConfig
  readonly watch: DeskWatch
  readonly gateway: Gateway
  readonly keys: { readonly operator: Address; readonly gateway: Address }
  readonly line: { state(): BrokerState }
  readonly note: (note: Note) => void
}): Promise<DeskWindow> {
  const { config, watch, gateway, keys, line, note } = parts
  const standing = openStanding(gateway.keeper, () => performance.now())
  const views = watch.views(() => ({
    ...keys,
    version: product.version,
    broker: lineHealth(config.broker.url, line.state(), Date.now()),
    clockAstray: gateway.isAstray(),
    ...standing(),
  }))
  const window = await openWindow(config.watch.host, config.watch.port, views)
  note({ event: 'watching', url: window.url })
  return { window, look: () => void standing() }
}
