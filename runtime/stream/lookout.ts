/**
 * The lookout: listens for this device's own index at the broker.
 *
 * At the start it says whether our books are whole; until then nothing may be published or sold. A broker
 * that is not there keeps the question open, for days if need be; one that remembers nothing of us answers
 * it with silence. Afterwards it hears whether somebody else speaks with our key.
 *
 *   asking    a known index, or silence                → whole
 *             one that is ours and newer than our store → what else stands there is kept, and BOOKS_LOST
 *   whole     one that is ours, and that we never wrote → cloned
 *   cloned    is durable: nothing goes out any more, in this life or a later one, until somebody decides
 */
import { fault } from '../faults.ts'
import { bell } from '../time/bell.ts'
import { never } from '../time/pause.ts'
import { equal } from '../wire/bytes.ts'
import { parseTopic, topics } from '../wire/topic.ts'
import { compare, readOwn, type Self } from './lost.ts'

export type LookoutStore = {
  retained(topic: string): Promise<Uint8Array | undefined>
  beginCheck(): Promise<void>
  /** As `beginCheck`, and unproven is all that the broker has not acknowledged. */
  beginDoubt(): Promise<void>
  endCheck(): Promise<void>
  noteLost(rows: readonly Standing[], twin?: string): Promise<void>
  lostBooks(): Promise<{ readonly twin?: string } | undefined>
}

type Standing = { readonly topic: string; readonly payload: Uint8Array }

export type LookoutOptions = Self & {
  readonly store: LookoutStore
  readonly line: {
    subscribe(
      filter: string,
      handler: (topic: string, payload: Uint8Array, retained: boolean) => void,
    ): Promise<void>
    onConnect(listener: () => void): void
    connected(): boolean
  }
  readonly folder: string
  /** Somebody else signs with our key: what it said that we never did. Told once. */
  readonly cloned: (what: string) => void
  /**
   * The broker retains an older index than it has said before: its own disk was put back, or saved long
   * before it fell, and whatever else we left there since is gone too. At most once a connection.
   */
  readonly restored: () => void
  readonly limits?: Partial<typeof lookoutLimits>
}

export const lookoutLimits = {
  /**
   * A broker sends what it retains with its answer to a subscription. Silent for so long behind that, it is
   * asked a second time, which also tells how slow it is; silent again, it has nothing. Only a device that
   * is new to its broker waits for it.
   */
  quietMs: 500,
  /** The second silence: at least so many times as long as the second answer took. */
  patience: 10,
  /** How long the line is kept for what stands at the broker once a twin was heard; it may throw us out. */
  twinMs: 120_000,
  /** Retained topics that are kept when books are lost: as many as a device has streams and sessions. */
  standingMax: 11_000,
}

export type Lookout = {
  /**
   * Resolves to true once the books are known to be whole, to false when the signal came and no line
   * stands, or when a twin was heard in an earlier life. Rejects with BOOKS_LOST.
   */
  whole(signal: AbortSignal): Promise<boolean>
  /**
   * After `cloned`: keeps that somebody else speaks with our key, at once, and then what stands at the
   * broker, as whoever mends the books will need it. Resolves when that is kept, or the signal came.
   */
  keepTwin(signal: AbortSignal): Promise<void>
  /**
   * Of lost books: puts what stands at the broker now in the place of what was kept when they were found to
   * be lost. False, with nothing changed, when no index of ours stands there, or the signal came first.
   */
  hearAgain(signal: AbortSignal): Promise<boolean>
  /** This index is ours: it was written just now. */
  wrote(payload: Uint8Array): void
  state(): BooksState
}

/** What is known of the device's books. */
export type BooksState = 'asking' | 'whole' | 'lost' | 'cloned'

export function lookout(options: LookoutOptions): Lookout {
  const { store, line, folder } = options
  const limits = { ...lookoutLimits, ...options.limits }
  const own = topics(options.device)
  const alarm = bell()
  const written = writings()
  let state: BooksState = 'asking'
  let heard: Uint8Array | undefined
  let heardAtMs = 0
  let twinSaid: string | undefined
  /** The newest version that the broker has said. */
  let newestSaid = 0

  /** One handler, however often the filter is asked for: the line keeps each that it does not know. */
  const hear = (_topic: string, payload: Uint8Array, retained: boolean) => {
    // What others wrote there is nothing, and delays nothing.
    const index = readOwn(payload, options)
    if (index === undefined) return
    heardAtMs = performance.now()
    heard = payload.slice()
    if (state === 'whole') watch(heard, index.version)
    if (state === 'whole' && retained && index.version < newestSaid) options.restored()
    newestSaid = Math.max(newestSaid, index.version)
    alarm.ring()
  }

  return {
    async whole(signal) {
      await store.beginCheck()
      const known = await store.lostBooks()
      if (known?.twin !== undefined) {
        state = 'cloned'
        return false
      }
      if (known !== undefined) throw lost(undecided)
      const ours = await store.retained(own.index)
      if (ours !== undefined) written.add(ours, options)
      await line.subscribe(own.index, hear)
      line.onConnect(() => {
        heardAtMs = performance.now()
        alarm.ring()
      })
      signal.addEventListener('abort', alarm.ring, { once: true })
      for (;;) {
        const verdict = heard && compare(ours, heard, options)
        if (verdict?.kind === 'ahead') return giveUp(verdict.what, signal)
        if (verdict?.kind === 'known') return settle()
        if (isQuiet() && (await isSilent())) return settle()
        // Told to end, a device whose line stands still waits for the answer: then it can send what it has.
        if (signal.aborted && !line.connected()) return false
        await alarm.wait(line.connected() ? limits.quietMs / 4 : Number.POSITIVE_INFINITY, never)
      }
    },
    async keepTwin(signal) {
      if (heard === undefined) return
      // What nobody was given is nobody's but ours, until it is known who speaks for the device.
      await store.beginDoubt()
      await store.noteLost([{ topic: own.index, payload: heard }], twinSaid)
      await keepStanding(signal, twinSaid)
    },
    async hearAgain(signal) {
      const { twin } = (await store.lostBooks()) ?? {}
      heardAtMs = performance.now()
      await line.subscribe(own.index, hear)
      while (heard === undefined && !isQuiet() && !signal.aborted)
        await alarm.wait(limits.quietMs / 4, never)
      return keepStanding(signal, twin)
    },
    wrote: (payload) => written.add(payload, options),
    state: () => state,
  }

  function isQuiet(): boolean {
    return line.connected() && performance.now() - heardAtMs >= limits.quietMs
  }

  /** Asks once more; false when there is an answer, or no line any more. */
  async function isSilent(): Promise<boolean> {
    const askedAtMs = performance.now()
    const heardBefore = heard
    await line.subscribe(own.index, hear)
    const tookMs = performance.now() - askedAtMs
    const waitMs = Math.max(limits.quietMs, limits.patience * tookMs)
    const untilMs = performance.now() + waitMs
    while (line.connected() && heard === heardBefore && performance.now() < untilMs) {
      await alarm.wait(untilMs - performance.now(), never)
    }
    return line.connected() && heard === heardBefore
  }

  async function settle(): Promise<boolean> {
    await store.endCheck()
    state = 'whole'
    return true
  }

  async function giveUp(what: string, signal: AbortSignal): Promise<false> {
    if (!(await keepStanding(signal))) return false
    throw lost(what)
  }

  /** Keeps all that recovery needs to know of what stands at the broker; false when the signal came first. */
  async function keepStanding(signal: AbortSignal, twin?: string): Promise<boolean> {
    const standing = new Map<string, Uint8Array>()
    const note = (topic: string, payload: Uint8Array) => {
      heardAtMs = performance.now()
      if (payload.length === 0 || standing.size >= limits.standingMax) return
      // Of keys only the topic matters: they are taken down.
      const isKeys = parseTopic(topic)?.kind === 'keys'
      standing.set(topic, isKeys ? new Uint8Array(0) : payload.slice())
    }
    const base = own.index.slice(0, -'index'.length)
    for (const filter of ['offer', 'ack', 's/+/setup', 'buyer/+/keys'])
      await line.subscribe(base + filter, note)
    heardAtMs = performance.now()
    while (!isQuiet()) {
      if (signal.aborted || heard === undefined) return false
      await alarm.wait(limits.quietMs / 4, never)
    }
    if (heard === undefined) return false
    const rows = [...standing].map(([topic, payload]) => ({ topic, payload }))
    await store.noteLost([{ topic: own.index, payload: heard }, ...rows], twin)
    return true
  }

  function lost(what: string) {
    state = 'lost'
    return fault('BOOKS_LOST', { what, folder })
  }

  function watch(payload: Uint8Array, version: number) {
    if (written.has(payload, version)) return
    state = 'cloned'
    twinSaid = `an index of version ${version}`
    options.cloned(twinSaid)
  }
}

/** The indexes that we wrote lately; the broker says each again, the last one at every connection. */
function writings() {
  const byVersion = new Map<number, Uint8Array>()
  let newest = 0
  return {
    add(payload: Uint8Array, self: Self): void {
      const version = readOwn(payload, self)?.version ?? 0
      newest = Math.max(newest, version)
      byVersion.set(version, payload)
      byVersion.delete(version - rememberedMax)
    },
    /** True for those, and for whatever is older: that may be ours, and does no harm. */
    has(payload: Uint8Array, version: number): boolean {
      const ours = byVersion.get(version)
      return ours === undefined ? version < newest : equal(ours, payload)
    },
  }
}

const rememberedMax = 64
const undecided = 'that was found in an earlier life, and nobody has decided yet'
