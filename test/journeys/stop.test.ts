/** How a device ends when it is asked to: once in order, twice at once, and what the next start finds. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '#crypto'
import { openGenerations } from '../../runtime/stream/generations.ts'
import { live } from './life.ts'
import { type Stage, setStage } from './setting.ts'
import { brokenChains, lostReadings, openAll, strayOpens } from './testimony.ts'
import { openWitness, type Witness } from './witness.ts'

/** A hung line is given 10 s to take what is left; what ends sooner did not wait for it. */
const atOnceMs = 8_000
const someReadingsMs = 1_200

suite('a device that is told to stop', () => {
  let stage: Stage
  let witness: Witness

  beforeEach(async () => {
    stage = await setStage({ money: false })
    witness = await openWitness({ ...stage, device: stage.world.device })
    stage.end.add(witness.close)
  })
  afterEach(() => stage.end.run())

  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    test(`seals what is open and hands it on at one ${name}`, async () => {
      const life = await live(stage, witness)
      await life.heard('stored')
      await sleep(someReadingsMs)
      life.signal(name)
      const { code } = await life.ended()
      assert.equal(code, 0)
      assert.equal((await life.heard('stopped')).unsent, 0)
      assert.equal((await judged()).interrupted, 0)
    })
  }

  test('ends at once at the second signal, and loses nothing that it told of', async () => {
    const first = await live(stage, witness)
    await first.heard('stored')
    stage.gate.hang()
    await sleep(someReadingsMs)
    first.signal('SIGTERM')
    await first.heard('stopping')
    await sleep(200)
    first.signal('SIGTERM')
    const { code, ms } = await first.ended()
    assert.equal(code, 130)
    assert.ok(ms < atOnceMs, `it took ${ms} ms`)
    stage.gate.open()
    await nextLifeSendsAll()
    await judged()
  })

  test('ends in order without a broker, and the next start sends what is left', async () => {
    const first = await live(stage, witness)
    await first.heard('stored')
    stage.gate.cut()
    await sleep(someReadingsMs)
    first.signal('SIGTERM')
    const { code, ms } = await first.ended()
    assert.equal(code, 0)
    assert.ok(ms < atOnceMs, `it took ${ms} ms`)
    assert.ok(Number((await first.heard('stopped')).unsent) > 0, 'nothing was left')
    stage.gate.open()
    await nextLifeSendsAll()
    assert.equal((await judged()).interrupted, 0)
  })

  test('that never found its broker keeps what it sensed, and ends in order', async () => {
    stage.gate.cut()
    const first = await live(stage, witness)
    await first.heard('stored')
    first.signal('SIGINT')
    const { code, ms } = await first.ended()
    assert.equal(code, 0)
    assert.ok(ms < atOnceMs, `it took ${ms} ms`)
    stage.gate.open()
    await nextLifeSendsAll()
    assert.equal((await judged()).interrupted, 0)
  })

  async function nextLifeSendsAll() {
    const next = await live(stage, witness)
    await next.heard('stored')
    await next.heard('broker connected')
    const { code, unsent } = await next.stop()
    assert.deepEqual({ code, unsent }, { code: 0, unsent: 0 })
  }

  /** What the witness was told, held against what was sealed. */
  async function judged() {
    const { epochs: messages, lives, opens } = await witness.testimony()
    const folder = `${stage.world.files.deviceFolder}/generations`
    const { leafKey } = await openGenerations(folder, { random: randomBytes })
    const { epochs, wrong } = openAll(messages, leafKey)
    assert.deepEqual(wrong, [])
    assert.deepEqual(brokenChains(epochs), [])
    assert.deepEqual(lostReadings(lives, epochs), [])
    assert.deepEqual(strayOpens(opens, epochs), [])
    const kinds = [...epochs.values()].map(({ message }) => message.header.kind)
    return { interrupted: kinds.filter((kind) => kind === 'interrupted').length }
  }
})
