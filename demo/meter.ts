/** An Eastron SDM630 without the meter: three phases, a load that moves, counters that only grow. */
import type { Slave } from './modbus.ts'

/** A slave of this unit; `nowS` is its clock, in seconds. */
export function sdm630(unit: number, nowS: () => number): Slave {
  const bornS = nowS()
  return {
    unit,
    registers(code, address, count) {
      if (code !== 4) return 'illegal function'
      // As the maker's document has it: whole floats only, 40 of them at most.
      if (address % 2 === 1 || count % 2 === 1 || count > 80) return 'illegal data address'
      if (address + count > endAddress) return 'illegal data address'
      const values = tableAt(nowS() - bornS)
      return Array.from({ length: count / 2 }, (_, i) => words(values[address + 2 * i] ?? 0)).flat()
    },
  }
}

/** What a household draws on each phase, in W: a base, a slow swing, and a kettle now and then. */
export function loadAt(phase: number, seconds: number): number {
  const { base, periodS, offsetS } = household(phase)
  const swing = swingW * Math.sin((2 * Math.PI * seconds) / periodS)
  return base + swing + ((seconds + offsetS) % kettleEveryS < kettleS ? kettleW : 0)
}

/** The same, summed up since the meter was made, in kWh. */
export function energyAt(phase: number, seconds: number): number {
  const { base, periodS, offsetS } = household(phase)
  const turn = periodS / (2 * Math.PI)
  const swing = swingW * turn * (1 - Math.cos(seconds / turn))
  const boiled = (untilS: number) =>
    Math.floor(untilS / kettleEveryS) * kettleS + Math.min(untilS % kettleEveryS, kettleS)
  const kettle = kettleW * (boiled(seconds + offsetS) - boiled(offsetS))
  return 1234 + 100 * phase + (base * seconds + swing + kettle) / 3_600_000
}

const swingW = 120
const kettleW = 2000
const kettleS = 25
const kettleEveryS = 180

function household(phase: number) {
  return { base: 300 + 150 * phase, periodS: 300 + 60 * phase, offsetS: 40 * phase }
}

/** Past the last address of the maker's table. */
const endAddress = 0x0180

/** Address of each float → its value, so many seconds after the start. */
function tableAt(seconds: number): Record<number, number> {
  const table: Record<number, number> = {}
  const volts = [0, 1, 2].map((phase) => 230 + 1.5 * Math.sin(seconds / (7 + phase)))
  const watts = [0, 1, 2].map((phase) => loadAt(phase, seconds))
  const factor = 0.97
  for (const [phase, power] of watts.entries()) {
    const voltage = volts[phase] ?? 0
    const apparent = power / factor
    table[2 * phase] = voltage
    table[0x06 + 2 * phase] = apparent / voltage
    table[0x0c + 2 * phase] = power
    table[0x12 + 2 * phase] = apparent
    table[0x18 + 2 * phase] = Math.sqrt(apparent ** 2 - power ** 2)
    table[0x1e + 2 * phase] = factor
    table[0x24 + 2 * phase] = (Math.acos(factor) * 180) / Math.PI
    table[0x15a + 2 * phase] = energyAt(phase, seconds)
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const total = sum(watts)
  table[0x30] = sum([0x06, 0x08, 0x0a].map((at) => table[at] ?? 0))
  table[0x34] = total
  table[0x38] = total / factor
  table[0x3c] = Math.sqrt((total / factor) ** 2 - total ** 2)
  table[0x3e] = factor
  table[0x46] = 50 + 0.02 * Math.sin(seconds / 11)
  table[0x48] = sum([0, 1, 2].map((phase) => energyAt(phase, seconds)))
  table[0x156] = table[0x48]
  for (const [i, at] of [0xc8, 0xca, 0xcc].entries()) table[at] = (volts[i] ?? 0) * Math.sqrt(3)
  return table
}

/** A float as its two registers, highest first. */
function words(value: number): number[] {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  return [view.getUint16(0), view.getUint16(2)]
}
