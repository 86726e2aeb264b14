/**
 * A window of things on their way: at most `size` at once, the rest wait in order. A broker that is sent
 * more than its Receive Maximum (MQTT 5 §3.3.4) may hang up.
 */
export function window(size: number) {
  type Flight = {
    readonly start: () => void
    readonly fail: () => void
  }
  const queue: Flight[] = []
  const flying = new Set<Flight>()
  const idlers: (() => void)[] = []
  let dropped = false

  return {
    /** Starts when there is room; resolves or rejects as `begin` says, or with `lost` after a drop. */
    run(begin: (done: (error?: Error) => void) => void, lost: () => Error): Promise<void> {
      return new Promise((resolve, reject) => {
        if (dropped) return reject(lost())
        const flight: Flight = {
          start: () =>
            begin((error) => {
              if (!flying.delete(flight)) return
              if (error === undefined) resolve()
              else reject(error)
              next()
            }),
          fail: () => reject(lost()),
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
    /** Rejects all that is on its way or waiting, and whatever comes later. */
    drop(): void {
      dropped = true
      const all = [...flying, ...queue.splice(0)]
      flying.clear()
      for (const flight of all) flight.fail()
      rest()
    },
  }

  function next() {
    while (!dropped && flying.size < size) {
      const flight = queue.shift()
      if (flight === undefined) break
      flying.add(flight)
      flight.start()
    }
    rest()
  }

  function rest() {
    if (flying.size + queue.length === 0) for (const done of idlers.splice(0)) done()
  }
}
