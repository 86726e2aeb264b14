/** What a device lists for sale: the terms and the setup of every stream, made from config and drivers. */
import { type Config, priceOf, type SensorConfig } from './config.ts'
import { inferenceFields } from './infer/manifest.ts'
import type { Model } from './infer/model.ts'
import { product } from './product.ts'
import type { Driver } from './sense/driver.ts'
import type { OptionValues } from './sense/options.ts'
import type { Setup } from './wire/setup.ts'
import type { Terms } from './wire/terms.ts'

/** One stream as it is listed; the setup still lacks version and device, which the publisher knows. */
export type Listed = {
  readonly terms: Terms
  readonly setup: Omit<Setup, 'version' | 'device'>
}

export function listSensor(
  config: Config,
  sensor: SensorConfig,
  driver: Driver,
  options: OptionValues,
): Listed {
  const brings = driver.fieldsWith?.(options) ?? Object.keys(driver.fields)
  const fields = brings.flatMap((name) => {
    const field = driver.fields[name]
    if (field === undefined || field.detail) return []
    const { type, unit } = field
    return [unit === undefined ? { name, type } : { name, type, unit }]
  })
  const { name: stream, title = driver.title, policy = config.policy, place } = sensor
  const epochMs = config.epoch.age
  const price = priceOf(config, sensor.price)
  return {
    terms: { stream, title, fields, epochMs, price, policy },
    setup: {
      stream,
      driver: { id: driver.id, version: product.version },
      product: softwareName,
      ...(sensor.sensor === undefined ? {} : { sensor: sensor.sensor }),
      ...(place === undefined ? {} : { place }),
    },
  }
}

export function listModel(config: Config, settings: Config['models'][number], model: Model): Listed {
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

const softwareName = `${product.name} ${product.version}`
