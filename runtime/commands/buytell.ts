/** What `wayside buy` says while it buys: a live line on a terminal, sentences elsewhere. */

import type { Buyer, BuyNote, Resumed, Summary } from '../buyer/index.ts'
import { exactJson } from '../buyer/lines.ts'
import { type MoneyName, progressOf, sentenceOf, summaryLine } from '../buyer/words.ts'
import { atomicWrite } from '../disk/write.ts'
import { shown } from '../wire/shown.ts'
import type { Place } from './buyfile.ts'

const liveEveryMs = 500
/** Where nobody watches, a long range tells how far it has come. */
const progressEveryMs = 10_000

export function openTeller() {
  let name: MoneyName | undefined
  let buyer: Buyer | undefined
  const { stderr } = process
  const live = stderr.isTTY === true
  const timer = live ? setInterval(line, liveEveryMs) : setInterval(progress, progressEveryMs)
  timer.unref()

  function line() {
    if (buyer !== undefined) stderr.write(`\r\x1b[K${shown(summaryLine(buyer.summary(), name))}`)
  }

  function progress() {
    const summary = buyer?.summary()
    if (summary !== undefined && progressOf(summary).of > 0) say(summaryLine(summary, name))
  }

  function say(text: string) {
    stderr.write(`${live ? '\r\x1b[K' : ''}${shown(text)}\n`)
  }

  return {
    money(found: MoneyName) {
      name = found
    },
    note(note: BuyNote) {
      // A promise an epoch would drown the rest; the live line counts them.
      if (note.event !== 'promised') say(sentenceOf(note, name))
    },
    found(opened: Buyer) {
      buyer = opened
      for (const { offer, streams } of opened.listings) {
        say(`buying ${streams.map(({ terms }) => terms.stream).join(', ')} of ${offer.device}`)
      }
    },
    behind(path: string, resumed: readonly Resumed[], last: ReadonlyMap<string, Place>) {
      for (const line of behind(path, resumed, last)) say(line)
    },
    quiet() {
      clearInterval(timer)
    },
    /** The last line, and the summary's file. Returns the exit code. */
    async end(summary: Summary, seconds: number, file?: string): Promise<0 | 1> {
      clearInterval(timer)
      const { bought, opened } = summary.counts
      const bad = summary.findings['paid and does not open'] ?? 0
      const due = bought - opened - bad
      const ok = due === 0 && bad === 0
      if (bad > 0) say(`${bad} epochs that were paid for do not open: do not buy there again`)
      if (due > 0) say(`${due} epochs that were paid for are still to come: --resume reads them`)
      say(summaryLine(summary, name))
      if (file !== undefined) await atomicWrite(file, `${summaryJson(summary, ok, seconds)}\n`)
      return ok ? 0 : 1
    },
  }
}

/** Where a file ends before the books do: somebody took of it what was in it. */
export function behind(
  path: string,
  resumed: readonly Resumed[],
  last: ReadonlyMap<string, Place>,
): string[] {
  return resumed.flatMap(({ device, stream, number }) => {
    const at = last.get(`${device}/${stream}`)
    if (at !== undefined && at.epoch >= number) return []
    const ends = at === undefined ? 'has nothing' : `ends at epoch ${at.epoch}`
    const range = `--from '#${(at?.epoch ?? 0) + 1}' --to '#${number}'`
    const again = `${range} reads what is missing again, and what was bought is not paid again`
    return [`${path} ${ends} of ${device}/${stream}, the books at ${number}: ${again}`]
  })
}

/** Amounts are decimal text in the token's smallest unit. */
function summaryJson(summary: Summary, ok: boolean, seconds: number): string {
  const { money, ...rest } = summary
  const spelled =
    money === undefined
      ? {}
      : {
          money: Object.fromEntries(
            Object.entries(money).map(([key, value]) => [
              key,
              typeof value === 'bigint' ? String(value) : value,
            ]),
          ),
        }
  return exactJson({ ok, seconds, ...rest, ...spelled }, 2)
}
