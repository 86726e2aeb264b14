/** The one table at the end: what was counted, and each stage with the file where it happens. */
import type { Report } from './report.ts'
import type { Screen } from './screen.ts'
import { tokens } from './story.ts'

export function printTable(report: Report, screen: Screen): void {
  screen.line()
  for (const [name, text] of rowsOf(report)) {
    screen.line('  ', ['bold', name.padEnd(14)], text)
  }
  const { ok, wrong, seconds } = report
  const whole = ok ? `balance, after ${seconds} s` : 'DO NOT BALANCE'
  screen.line('  ', ['bold', 'books'.padEnd(14)], [ok ? 'good' : 'bad', whole])
  for (const sentence of wrong) screen.line(' '.repeat(16), ['bad', sentence])
  screen.line()
  for (const { name, file, unit, count } of report.stages) {
    const counted = `${String(count).padStart(7)} ${unit.padEnd(10)}`
    screen.line('  ', ['bold', name.padEnd(12)], counted, ['dim', file])
  }
  screen.line()
}

function rowsOf(report: Report): readonly (readonly [string, string])[] {
  const { readings, epochs, money, eavesdropper: thief, gas } = report
  const doubts = Object.entries(readings.doubts)
  const doubted = doubts.reduce((sum, [, n]) => sum + n, 0)
  return [
    ['readings', `${readings.sensed} sensed = ${readings.stored} stored + ${doubted} doubts`],
    ...doubts.map(([reason, n]) => ['', `${n} ${reason}`] as const),
    ['inferences', `${readings.inferred}`],
    ['epochs', `${epochs.sealed} sealed, ${epochs.published} published`],
    ['', `${epochs.sold} sold, ${epochs.opened} opened, ${epochs.verified} verified`],
    [
      '',
      `${epochs.afterStopSealed} more after the buyer stopped, ${epochs.afterStopOpened} opened`,
    ],
    [
      'money',
      `${tokens(money.price)} price of the covered time = ${tokens(money.promised)} promised`,
    ],
    ['', `= ${tokens(money.delivered)} delivered = ${tokens(money.settled)} settled`],
    ['balances', `buyer ${tokens(money.token.buyerBefore)} → ${tokens(money.token.buyerAfter)}`],
    ['', `payee ${tokens(money.token.payeeBefore)} → ${tokens(money.token.payeeAfter)}`],
    ['', `${tokens(money.deposited)} went into the channel; its rest is the buyer's`],
    [
      'gas',
      Object.entries(gas)
        .map(([action, used]) => `${action} ${used}`)
        .join(', '),
    ],
    [
      'eavesdropper',
      `saw all ${thief.seen} sealed epochs and paid nothing: opened ${thief.opened}`,
    ],
    ['', `tried ${thief.keysTried} keys and ${thief.guesses} guesses`],
    ['', `given one paid key: opened ${thief.withOneKey.join(', ') || 'nothing'}`],
  ]
}
