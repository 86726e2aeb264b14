/**
 * The commit of the sensing half: readings with the tree heads that sign them, headers with what they seal,
 * and what makes room for them, all in one transaction. When it has returned, its readings are acknowledged.
 */
import { failpoint } from '../disk/failpoint.ts'
import type { Database } from '../disk/sqlite.ts'
import type { AuditRow, auditTable } from './audit.ts'
import type { chainTable } from './chain.ts'
import type { EpochRow, epochTable } from './epoch.ts'
import type { Evicted, evictions } from './evict.ts'
import type { OpenRow, openTable } from './open.ts'
import type { outboxTable } from './outbox.ts'

/** A header to be committed, and where it goes. */
export type SealedRow = EpochRow & { readonly boot: string; readonly topic: string }

export type Batch = {
  /** Streams that gained readings: the new tree head, and the packs since the one before. */
  readonly gains: readonly { readonly open: OpenRow; readonly packs: Uint8Array }[]
  /** Epochs that closed; each drops its stream's tree head and waiting packs. */
  readonly sealed: readonly SealedRow[]
  /** Readings of free streams, to be sent in the clear now that they are kept. */
  readonly messages: readonly { readonly topic: string; readonly payload: Uint8Array }[]
  readonly audits: readonly AuditRow[]
  /** Numbers that go; their tombstones are among the headers. */
  readonly evicted?: readonly Evicted[]
}

type Parts = {
  readonly chain: ReturnType<typeof chainTable>
  readonly open: ReturnType<typeof openTable>
  readonly epoch: ReturnType<typeof epochTable>
  readonly audit: ReturnType<typeof auditTable>
  readonly outbox: ReturnType<typeof outboxTable>
  readonly evict: ReturnType<typeof evictions>['evict']
}

export function commits(db: Database, parts: Parts, holdMs: number) {
  const { chain, open, epoch, audit, outbox } = parts
  const add = (batch: Batch) => {
    for (const row of batch.sealed) {
      const seq = epoch.add(row)
      chain.set(row)
      open.drop(row.stream)
      outbox.addEpoch(row.topic, seq, row.message.length)
    }
    for (const { open: row, packs } of batch.gains) open.gain(row, packs)
    for (const row of batch.audits) audit.add(row)
    for (const { topic, payload } of batch.messages) outbox.addMessage(topic, payload)
  }
  const write = db.transaction((batches: readonly Batch[]) => {
    // First: what goes makes room for what comes.
    const evicted = batches.flatMap((batch) => batch.evicted ?? [])
    parts.evict(evicted)
    if (evicted.length > 0) failpoint('evict.inside')
    for (const batch of batches) add(batch)
    failpoint('commit.inside')
  })

  return {
    /** One transaction for all of them, durable when it returns. */
    commit(...batches: Batch[]): void {
      failpoint('commit.before')
      write(batches)
      if (holdMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, holdMs)
      failpoint('commit.after')
    },
    /** Where every chain stands, and the epochs that the last run left open. */
    recover: () => ({ chains: chain.newest(), open: open.all() }),
  }
}
