/** The table of the journeys: a line each as they end, and the sum of it. */
import { styleText } from 'node:util'
import type { Flavour } from './brokers.ts'

export type Cell =
  /** `first`: why it was red when it was told before. */
  | { readonly state: 'green'; readonly seconds: number; readonly first?: string }
  | { readonly state: 'red'; readonly seconds: number; readonly why: string; readonly log: string }
  | { readonly state: 'left out'; readonly why: string }

export type Row = {
  readonly name: string
  readonly says: string
  readonly cells: Readonly<Partial<Record<Flavour, Cell>>>
}

export type Sum = {
  readonly green: number
  readonly red: number
  readonly leftOut: number
  /** Of the green ones, those that were red at first. */
  readonly twice: number
  readonly seconds: number
  readonly rows: readonly Row[]
}

const nameWidth = 40
const cellWidth = 16

/** Prints the head at once, and a line for every row that it is given. */
export function openTable(columns: readonly Flavour[], print = console.log) {
  const startedMs = performance.now()
  const rows: Row[] = []
  print(`${'journey'.padEnd(nameWidth)}${columns.map((one) => one.padEnd(cellWidth)).join('')}`)
  return {
    row(row: Row) {
      rows.push(row)
      const cells = columns.map((on) => shown(row.cells[on])).join('')
      print(`${row.name.padEnd(nameWidth)}${cells}`)
      for (const on of columns) {
        const cell = row.cells[on]
        if (cell?.state === 'green' && cell.first !== undefined) {
          print(`    ${on}: told twice, red at first: ${cell.first}`)
        }
        if (cell?.state === 'red') print(`    ${on}: ${cell.why}${cell.log && `\n    ${cell.log}`}`)
      }
    },
    end(): Sum {
      const all = rows.flatMap(({ cells }) => Object.values(cells))
      const count = (state: Cell['state']) => all.filter((cell) => cell.state === state).length
      const [green, red, leftOut] = [count('green'), count('red'), count('left out')]
      const twice = all.filter((cell) => cell.state === 'green' && cell.first !== undefined).length
      const seconds = Math.round((performance.now() - startedMs) / 1000)
      const retold = twice === 0 ? '' : ` (${twice} when told again)`
      print(
        `\n${rows.length} journeys in ${seconds} s: ${green} green${retold}, ${red} red, ${leftOut} left out`,
      )
      const whys = Map.groupBy(rows.flatMap(leftOutOf), ({ why }) => why)
      for (const [why, found] of whys) {
        const names = [...new Set(found.map(({ name }) => name))]
        print(`left out, ${why}: ${names.join(', ')}`)
      }
      return { green, red, leftOut, twice, seconds, rows }
    },
  }
}

function shown(cell: Cell | undefined): string {
  if (cell === undefined) return '–'.padEnd(cellWidth)
  if (cell.state === 'left out') return styleText('dim', 'left out'.padEnd(cellWidth))
  const text = `${cell.state} ${cell.seconds.toFixed(1)} s`.padEnd(cellWidth)
  return styleText(cell.state, text)
}

function leftOutOf({ name, cells }: Row) {
  return Object.values(cells).flatMap((cell) =>
    cell.state === 'left out' ? [{ name, why: cell.why }] : [],
  )
}
