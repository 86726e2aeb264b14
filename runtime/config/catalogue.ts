/**
 * What the config means: its sensors with their drivers, its models opened, and of every stream the terms,
 * the setup and the plan by which it is sealed.
 */
import { drivers as ours } from '../../drivers/index.ts'
import { inferenceFields } from '../infer/manifest.ts'
import { type Model, openModel } from '../infer/model.ts'
import { modelFolder } from '../modelfolder.ts'
import { product } from '../product.ts'
import { chooseDriver } from '../sense/choose.ts'
import type { Driver } from '../sense/driver.ts'
import type { StreamPlan } from '../sign/plan.ts'
import type { Address } from '../wire/address.ts'
import { hex } from '../wire/bytes.ts'
import type { Offer } from '../wire/offer.ts'
import type { Setup } from '../wire/setup.ts'
import { isFree, type Terms, termsHash } from '../wire/terms.ts'
import { type Config, type ModelConfig, priceOf, type SensorConfig } from './config.ts'
import { type DriverList, driverList } from './driverlist.ts'
import { smallestUnits } from './quantity.ts'

/** One stream as it is listed; the setup still lacks version and device, which the publisher knows. */
export type Listed = {
  readonly terms: Terms
  readonly setup: Omit<Setup, 'version' | 'device'>
}

export type OpenedModel = { readonly settings: ModelConfig; readonly model: Model }

/** Opens every model that the config names. Throws MODEL_UNREADABLE, MODEL_INVALID, MODEL_PROVIDER. */
export function openModels(config: Config): Promise<OpenedModel[]> {
  return Promise.all(
    config.models.map(async (settings) => {
      const model = await openModel(modelFolder(settings.model), settings.provider)
      return { settings, model }
    }),
  )
}

/** What the supervisor of a sensor needs of its config. Throws the faults of its driver's options. */
export function sensorPlan(sensor: SensorConfig, drivers: readonly Driver[] = ours) {
  const { name, port: path, baudRate, parity, stopBits } = sensor
  const { driver, options } = chooseDriver(drivers, sensor.driver, sensor.options)
  const serial = {
    ...driver.serial,
    ...(baudRate === undefined ? {} : { baudRate }),
    ...(parity === undefined ? {} : { parity }),
    ...(stopBits === undefined ? {} : { stopBits }),
  }
  return { name, path, driver: { ...driver, serial }, options }
}

/** Every stream of the device, sensors first. */
export function listAll(config: Config, models: readonly OpenedModel[]): Listed[] {
  const known = driverList(config.drivers)
  const sensors = config.sensors.map((sensor) => listSensor(config, sensor, known))
  return [...sensors, ...models.map((opened) => listModel(config, opened))]
}

/** How much is sold on trust, and to how many; amounts in the smallest unit of the first rail. */
export function saleLimits({ sale, rails }: Config) {
  return {
    exposureMax: smallestUnits(sale.exposure, rails[0]?.decimals ?? 0) ?? 0n,
    sessionsMax: sale.sessions,
    ordersPerS: sale.unknownPerSecond,
  }
}

/** How the epochs of a stream are cut and what their headers name. */
export function planOf(
  { epoch }: Config,
  { terms }: Listed,
  setupHash: (stream: string) => Uint8Array,
): StreamPlan {
  return {
    name: terms.stream,
    terms: termsHash(terms),
    setup: setupHash(terms.stream),
    epochMs: terms.epochMs,
    countMax: epoch.count,
    bytesMax: epoch.bytes,
    free: isFree(terms),
  }
}

function listSensor(config: Config, sensor: SensorConfig, known: DriverList): Listed {
  const { driver, options } = chooseDriver(known.drivers, sensor.driver, sensor.options)
  const brings = driver.fieldsWith?.(options) ?? Object.keys(driver.fields)
  const fields = brings.flatMap((name) => {
    const field = driver.fields[name]
    if (field === undefined || field.detail) return []
    const { type, unit } = field
    return [unit === undefined ? { name, type } : { name, type, unit }]
  })
  const labels = labelsOf(driver, brings)
  const { name: stream, title = driver.title, policy = config.policy, place } = sensor
  const epochMs = config.epoch.age
  const price = priceOf(config, sensor.price)
  return {
    terms: { stream, title, fields, epochMs, price, policy },
    setup: {
      stream,
      driver: {
        ...{ id: driver.id, version: known.versionOf(driver.id) },
        ...(driver.check !== undefined && { check: driver.check }),
      },
      product: softwareName,
      ...(sensor.sensor === undefined ? {} : { sensor: sensor.sensor }),
      ...(labels === undefined ? {} : { labels }),
      ...(place === undefined ? {} : { place }),
    },
  }
}

/** What fields are, where their names are codes (OBIS) and say it to nobody. */
function labelsOf({ fields }: Driver, names: readonly string[]) {
  const coded = names.filter((name) => name.includes(':') && !fields[name]?.detail)
  if (coded.length === 0) return undefined
  return Object.fromEntries(coded.map((name) => [name, fields[name]?.title ?? '']))
}

function listModel(config: Config, { settings, model }: OpenedModel): Listed {
  const { manifest, id } = model
  const { name: stream, title = manifest.title, policy = config.policy } = settings
  return {
    terms: {
      stream,
      title,
      fields: inferenceFields(manifest),
      epochMs: config.epoch.age,
      price: priceOf(config, settings.price),
      policy,
      model: { name: manifest.name, version: manifest.version, digest: id },
    },
    setup: { stream, product: softwareName },
  }
}

/** The offer but for its version. */
export function offerOf(
  config: Config,
  key: OfferKey,
  listed: readonly Listed[],
  enrolment: Uint8Array | undefined,
): Omit<Offer, 'version'> {
  const { operator, receiver, gateway, rails, withdrawDelayMin } = config
  return {
    device: key.device,
    operator,
    signingKey: key.signingKey,
    hpke: hex(key.hpke.publicKey),
    receiver,
    gateway,
    rails,
    withdrawDelayMinS: Math.ceil(withdrawDelayMin / 1000),
    streams: listed.map(({ terms }) => terms),
    ...(enrolment === undefined ? {} : { enrolment: hex(enrolment) }),
  }
}

/** What the device's key says of itself in an offer. */
type OfferKey = {
  readonly device: Address
  readonly signingKey: Address
  readonly hpke: { readonly publicKey: Uint8Array }
}

const softwareName = `${product.name} ${product.version}`
