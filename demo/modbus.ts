/** Modbus slaves without the slaves: as many as one likes on one line, silent and babbling ones among them. */
import { type Answer, encodeAnswer, exceptions } from '../drivers/modbus/answer.ts'
import {
  decodeRequest,
  frameSizeMax,
  packBits,
  type Request,
  requestSize,
} from '../drivers/modbus/request.ts'
import { lineShape } from '../drivers/modbus/shape.ts'
import { cutter } from '../runtime/sense/frame.ts'
import { openLine } from './pty.ts'

export type Slave = {
  readonly unit: number
  /** Holding (3) or input (4) registers, or an exception in the words of the specification. */
  registers?(code: number, address: number, count: number): readonly number[] | string
  /** Coils (1) or discrete inputs (2), likewise. */
  bits?(code: number, address: number, count: number): readonly boolean[] | string
  /** How long it thinks. Left out: not at all. */
  delayMs?(request: Request): number
  /** It hears and says nothing. */
  readonly silent?: boolean
}

export type ModbusLine = {
  readonly path: string
  /** Bytes that the slaves said. */
  bytes(): number
  /** Requests that each unit got. */
  asked(): Readonly<Record<number, number>>
  /** Says these bytes, whoever's turn it is. */
  babble(bytes: Uint8Array): void
  /** Puts another slave in the place of the one with its unit. */
  replace(slave: Slave): void
  stop(): Promise<void>
}

/** Starts a line with these slaves on a pseudo-terminal. */
export async function startModbusLine(slaves: readonly Slave[]): Promise<ModbusLine> {
  const line = await openLine()
  const there = new Map(slaves.map((slave) => [slave.unit, slave]))
  const asked: Record<number, number> = {}
  const pending = new Set<NodeJS.Timeout>()
  const cut = cutter(requestShape)
  let said = 0

  line.onData((chunk) => {
    for (const { bytes, flaw } of cut.push(chunk)) {
      const found = flaw === undefined ? decodeRequest(bytes) : undefined
      if (found === undefined) continue
      const { unit, request } = found
      asked[unit] = (asked[unit] ?? 0) + 1
      const slave = there.get(unit)
      if (slave === undefined || slave.silent) continue
      const say = () => {
        pending.delete(timer)
        const answer = encodeAnswer(unit, answerOf(slave, request))
        said += answer.length
        line.write(answer)
      }
      const timer = setTimeout(say, slave.delayMs?.(request) ?? 0)
      pending.add(timer)
    }
  })

  return {
    path: line.path,
    bytes: () => said,
    asked: () => ({ ...asked }),
    babble: line.write,
    replace: (slave) => void there.set(slave.unit, slave),
    stop() {
      for (const timer of pending) clearTimeout(timer)
      return line.close()
    },
  }
}

/** What this slave says to that. */
export function answerOf(slave: Slave, request: Request): Answer {
  const code = request.function
  const no = (why: string): Answer => {
    const known = Object.keys(exceptions).find((number) => exceptions[Number(number)] === why)
    return { function: 'exception', of: code, code: Number(known ?? 4) }
  }
  if (code === 3 || code === 4) {
    const found = slave.registers?.(code, request.address, request.count) ?? 'illegal function'
    return typeof found === 'string' ? no(found) : { function: code, registers: found }
  }
  if (code === 1 || code === 2) {
    const found = slave.bits?.(code, request.address, request.count) ?? 'illegal function'
    if (typeof found === 'string') return no(found)
    return { function: code, bits: Uint8Array.from(packBits(found)) }
  }
  return no('illegal function')
}

/** A slave hears requests only. */
const requestShape = {
  ...lineShape,
  sizeMax: frameSizeMax,
  size(bytes: Uint8Array) {
    const size = requestSize(bytes)
    return size === 'more' || size <= bytes.length ? size : ('more' as const)
  },
}
