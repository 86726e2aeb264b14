/**
 * A window of things on their way: at most `size` at once, the rest wait in order. A broker that is sent
 * more than its Receive Maximum (MQTT 5 §3.3.4) may hang up.
 */
export function window<What>(size: () => number, nowMs: () => number = () => performance.now()) {
  type Flight = {
    readonly what: What
    readonly start: () => void
    readonly fail: () => void
    /** Since when its answer is due: its start, or the answer to one that started before it. */
    dueMs: number
  }
  const queue: Flight[] = []
  const flying = new Set<Flight>()
  const idlers: (() => void)[] = []
  let dropped = false

  return {
    /** Starts when there is room; resolves or rejects as `begin` says, or with `lost` after a drop. */
    run(what: What, begin: (done: (error?: Error) => void) => void, lost: () => Error) {
      return new Promise<void>((resolve, reject) => {
        if (dropped) return reject(lost())
        const flight: Flight = {
          what,
          start: () =>
            begin((error) => {
              if (!land(flight)) return
              if (error === undefined) resolve()
              else reject(error)
              next()
            }),
          fail: () => reject(lost()),
          dueMs: 0,
        }
        queue.push(flight)
        next()
      })
    },
    /** Resolves when nothing is on its way or waiting. */
    idle(): Promise<void> {
      if (flying.size + queue.length === 0) return Promise.resolve()
      return new Promise((done) => idlers.push(done))
    },
    resting: () => flying.size + queue.length === 0,
    /** What is on its way, the oldest first. */
    underway: (): readonly What[] => [...flying].map(({ what }) => what),
    /** For how long the oldest has waited for its answer, ms; 0 when nothing is on its way. */
    stalledMs(): number {
      const [oldest] = flying
      return oldest === undefined ? 0 : nowMs() - oldest.dueMs
    },
    /** Rejects all that is on its way or waiting, and whatever comes later. */
    drop(): void {
      dropped = true
      const all = [...flying, ...queue.splice(0)]
      flying.clear()
      for (const flight of all) flight.fail()
      rest()
    },
  }

  /** Whoever started behind it was waiting for this one too, on a slow line. */
  function land(landed: Flight): boolean {
    if (!flying.has(landed)) return false
    let isBehind = false
    for (const flight of flying) {
      if (isBehind) flight.dueMs = nowMs()
      if (flight === landed) isBehind = true
    }
    return flying.delete(landed)
  }

  function next() {
    while (!dropped && flying.size < size()) {
      const flight = queue.shift()
      if (flight === undefined) break
      flight.dueMs = nowMs()
      flying.add(flight)
      flight.start()
    }
    rest()
  }

  function rest() {
    if (flying.size + queue.length === 0) for (const done of idlers.splice(0)) done()
  }
}
