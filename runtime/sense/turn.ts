/** What a driver's turn does to its line: bytes, and behind them perhaps another rate. */
import type { Ask } from './driver.ts'
import type { Port } from './port.ts'

/** Sends and changes the rate, in this order; `refused` is told the doubt when the port can not run at it. */
export function obey(
  port: Pick<Port, 'write' | 'setRate'>,
  { send, baudRate }: Pick<Ask<unknown>, 'send' | 'baudRate'>,
  refused: (doubt: string) => void,
): void {
  // A write that fails is a line that ends: `closed` tells of it.
  if (send !== undefined) port.write(send).catch(() => {})
  if (baudRate !== undefined) port.setRate(baudRate).catch(() => refused('port refuses the rate'))
}
