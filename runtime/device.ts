/**
 * THE MAP: a device, wired stage by stage in the order in which data flows.
 *
 *   serial bytes → driver → reading → inference → signed epoch → store → sealed message → sale
 *
 * Stages never import each other; what one needs of another is handed to it here. Left of the store data
 * is made, right of it data is sold; the halves meet in the store, and a signal between them only says
 * "look".
 */
import { keepLookout, listenToBroker } from './books/listening.ts'
import {
  type Listed,
  listAll,
  offerOf,
  openModels,
  planOf,
  saleLimits,
  sensorPlan,
} from './config/catalogue.ts'
import type { Config } from './config/config.ts'
import { driversOf } from './config/driverlist.ts'
import { infer } from './infer/infer.ts'
import { keeping } from './keeping.ts'
import { openBroker } from './link/broker.ts'
import { lineHealth } from './link/standing.ts'
import { product } from './product.ts'
import { openShop } from './sell/shop.ts'
import type { OpenPort } from './sense/port.ts'
import { superviseAll } from './sense/supervisor.ts'
import { epochMaker } from './sign/epoch.ts'
import { type DeviceKey, openDeviceKey } from './sign/key.ts'
import { openStore, type Store } from './store/client.ts'
import { type Enrolled, openEnrolled } from './stream/enrolled.ts'
import { type Generations, openGenerations } from './stream/generations.ts'
import { openMessages } from './stream/open.ts'
import { outbox } from './stream/outbox.ts'
import { openShelf, statusPayload } from './stream/shelf.ts'
import { aborted } from './time/pause.ts'
import { type Health, healthOf } from './watch/health.ts'
import type { Watch } from './watch/watch.ts'
import type { Clock } from './wire/clock.ts'
import { topics } from './wire/topic.ts'

export type DeviceParts = {
  readonly config: Config
  readonly clock: Clock
  readonly watch: Watch
  readonly openPort: OpenPort
  readonly random: (length: number) => Uint8Array
}

export type Device = {
  readonly key: DeviceKey
  /** Works until the signal; then hands on what is on its way, in the order of the flow, and ends. */
  start(signal: AbortSignal): Promise<void>
  health(): Promise<Health>
  close(): Promise<void>
}

/** Opens keys, store and books in the config's folder. Throws the faults of each, and leaves nothing open. */
export async function openDevice(parts: DeviceParts): Promise<Device> {
  const opened = new AsyncDisposableStack()
  return openParts(parts, opened).catch(async (cause) => {
    await opened.disposeAsync()
    throw cause
  })
}

async function openParts(parts: DeviceParts, opened: AsyncDisposableStack): Promise<Device> {
  const { config, random } = parts
  const { folder } = config
  const key = await openDeviceKey(folder)
  const generations = await openGenerations(`${folder}/generations`, { random })
  const store = await openStore({ path: `${folder}/store.sqlite` })
  opened.defer(store.close)
  const enrolled = await openEnrolled(folder, key, config.operator)
  const models = await openModels(config)
  for (const { model } of models) opened.defer(model.engine.release)
  const listed = listAll(config, models)

  const ground = { ...parts, key, generations, store, enrolled, models, listed }
  const right = await sellingHalf(ground, opened)
  const left = sensingHalf(ground, right)

  return {
    key,
    start: (signal) => run(ground, left, right, signal),
    health: () => health(ground, left, right),
    close: () => opened.disposeAsync(),
  }
}

type Ground = DeviceParts & {
  readonly key: DeviceKey
  readonly generations: Generations
  readonly store: Store
  readonly enrolled: Enrolled
  readonly models: Awaited<ReturnType<typeof openModels>>
  readonly listed: readonly Listed[]
}

/** serial bytes → driver → reading → inference → signed epoch → store */
function sensingHalf(ground: Ground, { out, shelf, shop }: SellingHalf) {
  const { config, clock, watch, key, generations, store, random } = ground

  const maker = epochMaker({
    key,
    clock,
    streams: ground.listed.map((entry) => planOf(config, entry, shelf.setupHash)),
    generation: generations.current,
    keys: generations.leafKey,
    store,
    random,
    limits: { commitDelayMs: config.commit.delay },
    openMessage: openMessages(key.device),
    acknowledged: watch.acknowledged,
    note(commit) {
      watch.commit(commit)
      out.look()
    },
    sealed(epoch) {
      watch.sealed(epoch)
      shelf.look()
      shop.look()
    },
  })

  const inferences = ground.models.map(({ settings, model }) => ({
    name: settings.name,
    from: settings.input.stream,
    stage: infer({
      stream: settings.name,
      ...model,
      field: settings.input.field,
      queueMax: settings.queue,
      random,
      emit(reading, { audit }) {
        if (!maker.take(reading, audit)) watch.doubt(settings.name, storeBehind)
      },
      doubt: (reason) => watch.doubt(settings.name, reason),
    }),
  }))

  const drivers = driversOf(config.drivers)
  const sensors = superviseAll(
    config.sensors.map((sensor) => ({
      ...sensorPlan(sensor, drivers),
      open: ground.openPort,
      clock,
      moment(reading) {
        if (!maker.take(reading)) return watch.doubt(sensor.name, storeBehind)
        for (const { from, stage } of inferences) if (from === sensor.name) stage.offer(reading)
      },
      doubt: (reason) => watch.doubt(sensor.name, reason),
      note: watch.sensor,
    })),
  )

  return { sensors, inferences, maker, keep: keeping(ground, maker) }
}

/** store → sealed message → broker, and store → keys for whoever pays */
async function sellingHalf(ground: Ground, opened: AsyncDisposableStack) {
  const { config, clock, watch, key, generations, store, random, listed, enrolled } = ground
  const lost = await store.lostBooks()
  const broker = openBroker({
    ...config.broker,
    clientId: key.device,
    will: { topic: topics(key.device).status, payload: statusPayload('off') },
    keepSession: true,
    note: watch.link,
  })
  opened.defer(broker.close)
  const { window } = config.outbox
  const out = outbox({ store, publish: broker.publish, window, note: watch.outbox })
  const restate = () => store.sendRetainedAgain().then(out.look)
  const { folder } = config
  const tower = keepLookout({ key, store, lost, broker, folder, note: watch.note, restate })
  const shelf = await openShelf({
    device: key.device,
    sign: key.sign,
    store,
    offer: offerOf(config, key, listed, enrolled.bytes()),
    setups: listed.map(({ setup }) => ({ ...setup, device: key.device })),
    changed: out.look,
    wrote: tower.look.wrote,
  })
  const shop = await openShop({
    key,
    offer: shelf.offer,
    store,
    cover: generations.cover,
    clock,
    publish: broker.publish,
    limits: saleLimits(config),
    random,
    changed: out.look,
    note: watch.sale,
  })
  return { broker, out, shelf, shop, tower }
}

type SensingHalf = ReturnType<typeof sensingHalf>
type SellingHalf = Awaited<ReturnType<typeof sellingHalf>>

/**
 * Starts every stage; at the signal, or when one of them fails, ends them from left to right, so that
 * nothing under way is lost. Nothing goes out before the books are known to be whole, nor once somebody
 * else speaks with our key.
 */
async function run(
  ground: Ground,
  { sensors, inferences, maker, keep }: SensingHalf,
  right: SellingHalf,
  signal: AbortSignal,
): Promise<void> {
  const { config, key, listed, enrolled, store, watch } = ground
  const { broker, out, shelf, shop, tower } = right
  const { look, twin } = tower
  const sensing = new AbortController()
  const inferring = new AbortController()
  const evicting = new AbortController()
  const signing = new AbortController()
  const selling = new AbortController()
  const sending = new AbortController()
  const failed = Promise.withResolvers<{ readonly cause: unknown }>()
  let failure: { readonly cause: unknown } | undefined
  const own = <T>(stage: Promise<T>): Promise<T> => {
    stage.catch((cause) => failed.resolve({ cause }))
    return stage
  }
  void failed.promise.then((found) => {
    failure = found
  })
  const showEnrolment = () => shelf.setOffer(offerOf(config, key, listed, enrolled.bytes()))
  const ears = { device: key.device, shop, enrol: enrolled.take, showEnrolment, store, out, own }
  await listenToBroker(broker, ears)
  await shelf.status('on')

  const whole = own(look.whole(AbortSignal.any([selling.signal, twin.signal])))
  const onceWhole = async (start: (until: AbortSignal) => Promise<void>, end: AbortController) => {
    if (await whole) await start(AbortSignal.any([end.signal, twin.signal]))
  }
  const watched = own(tower.start(sending.signal))
  const sent = own(onceWhole(out.start, sending))
  const sold = [shop, shelf].map((stage) => own(onceWhole(stage.start, selling)))
  const signed = own(maker.start(signing.signal))
  const kept = own(keep.start(evicting.signal))
  const inferred = inferences.map(({ stage }) => own(stage.start(inferring.signal)))
  const sensed = sensors.map((line) => own(line.start(sensing.signal)))
  watch.note('info', 'running', { device: key.device, streams: listed.length })

  await Promise.race([aborted(signal), failed.promise])
  watch.note('info', 'stopping')
  store.hurry()
  for (const [controller, stages] of [
    [sensing, sensed],
    [inferring, inferred],
    [signing, [signed]],
    [evicting, [kept]],
    [selling, sold],
  ] as const) {
    controller.abort()
    await Promise.allSettled(stages)
  }
  const speaks = failure === undefined && (await whole) && !twin.signal.aborted
  if (speaks) await shelf.status('off')
  await out.drained(speaks && broker.connected() ? drainMs : 0)
  sending.abort()
  await Promise.allSettled([sent, watched])
  if (failure !== undefined) throw failure.cause
  const { outboxRows: unsent } = await store.counts()
  watch.note('info', 'stopped', { unsent })
}

async function health(
  { config, key, clock, store, enrolled, watch }: Ground,
  { sensors, inferences }: SensingHalf,
  { broker, shop, tower }: SellingHalf,
): Promise<Health> {
  const is = (kind: string) => store.ails()?.kind === kind
  return healthOf({
    device: key.device,
    version: product.version,
    clock: { boot: clock.boot, quality: clock.wall()?.quality ?? 'unset' },
    sensors: sensors.flatMap((line) => line.health()),
    models: inferences.map(({ name, stage }) => ({ name, ...stage.health() })),
    store: { ...(await store.counts()), full: is('full'), failing: is('failing') },
    broker: lineHealth(config.broker.url, broker.state(), clock.wall()?.ms),
    books: tower.look.state(),
    sale: shop.counts(),
    enrolled: enrolled.bytes() !== undefined,
    totals: await watch.metrics.totals(),
    outboxBytesMax: config.outbox.bytes,
  })
}

const storeBehind = 'store is behind'
/** How long an orderly end waits for the broker to take what is left; the rest is sent at the next start. */
const drainMs = 10_000
