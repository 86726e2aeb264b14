/**
 * Every setting of a device (wayside.yaml): default, unit, limit and the reason for both, in one schema.
 *
 * `wayside config schema` prints it as JSON Schema for editors; `wayside config check` reads a file by it.
 */
import { z } from 'zod'
import { isFieldName, isStreamName } from '../wire/reading.ts'
import { contradictions } from './contradictions.ts'
import {
  brokerLine,
  configAddress,
  decimal,
  duration,
  editorSchema,
  file,
  size,
  smallestUnits,
  watchHost,
} from './quantity.ts'
import { railSchema } from './rail.ts'

const second = 1000
const hour = 3600 * second
const day = 24 * hour
const kib = 1024
const mib = 1024 * kib
const gib = 1024 * mib

const policy = z
  .string()
  .max(500)
  .describe('What a buyer may do with the data: a name from docs/wire.md or the URL of a policy.')

const price = z
  .union([
    z.literal('free'),
    z.strictObject({
      amount: decimal.describe('In whole tokens, as a decimal number.'),
      per: duration({ min: second, max: 366 * day }).describe('The covered time that it pays for.'),
    }),
  ])
  .describe('`free`, or an amount of the token for a length of covered time.')

const place = z
  .strictObject({
    lat: z.number().min(-90).max(90).optional().describe('Degrees north of the equator.'),
    lon: z.number().min(-180).max(180).optional().describe('Degrees east of Greenwich.'),
    altM: z.number().optional().describe('Metres above the sea.'),
    note: z.string().max(500).optional().describe('In words: street, height, what is near.'),
  })
  .describe('Where the sensor hangs: degrees (WGS 84) and metres.')

const stream = z
  .string()
  .refine(isStreamName, 'not a name; write a small letter, then up to 31 of a-z 0-9 _ . -')
  .describe('Name of the stream: a small letter, then up to 31 of a-z 0-9 _ . -')
const field = z
  .string()
  .refine(isFieldName, 'not a field; `wayside drivers ID` lists the fields of each driver')
  .describe('The field of it that is watched: one that is a number.')
const title = z.string().max(200).describe('What people see in listings, in their language.')

const sensorSchema = z.strictObject({
  name: stream,
  driver: z.string().describe('Which driver reads it; `wayside drivers` lists them.'),
  port: z.string().min(1).max(500).describe('Serial port; `wayside ports` finds stable names.'),
  baudRate: z
    .number()
    .int()
    .min(300)
    .max(4_000_000)
    .optional()
    .describe("Speed of the line; left out, the driver's own."),
  parity: z
    .enum(['none', 'even', 'odd'])
    .optional()
    .describe("Parity of the line; left out, the driver's own."),
  stopBits: z
    .union([z.literal(1), z.literal(2)])
    .optional()
    .describe("Stop bits of the line; left out, the driver's own."),
  options: z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean(), z.record(z.string(), z.unknown())]),
    )
    .default({})
    .describe('Options of the driver; `wayside drivers ID` lists them.'),
  title: title.optional(),
  price: price.default('free'),
  policy: policy.optional(),
  sensor: z
    .strictObject({
      make: z.string().max(200).optional().describe('Who made it.'),
      model: z.string().max(200).optional().describe('What its maker calls it.'),
      serial: z.string().max(200).optional().describe('Its serial number.'),
      calibration: z.string().max(1000).optional().describe('When, by whom, against what.'),
    })
    .optional()
    .describe('The physical sensor, as the signed setup states it.'),
  place: place.optional(),
})

const modelSchema = z.strictObject({
  name: stream,
  model: z
    .string()
    .min(1)
    .describe('A folder with model.json and model.onnx, or the name of ours.'),
  input: z
    .strictObject({ stream: stream.describe('Name of the sensor that it watches.'), field })
    .describe('Which readings it works on.'),
  provider: z
    .string()
    .default('cpu')
    .describe('Where it must run. What is not there is a fault; nothing falls back silently.'),
  queue: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe(
      'Windows that may wait; past it the oldest is a counted doubt, so memory stays bounded.',
    ),
  title: title.optional(),
  price: price.default('free'),
  policy: policy.optional(),
})

/** The name of a package as npm takes it: no path, no version. */
const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

export const configSchema = z
  .strictObject({
    folder: file.describe('Where keys and readings live. Back up the keys.'),
    broker: brokerLine.describe('The line out; any MQTT broker will do.'),
    operator: configAddress.describe(
      'Whose device this is: who enrols it and reads it for nothing.',
    ),
    gateway: configAddress.describe("The operator's key that signs grants, acks and claims."),
    receiver: configAddress.describe('Where the money goes.'),
    rails: z.array(railSchema).max(16).default([]).describe('Tokens taken; none: nothing is sold.'),
    withdrawDelayMin: duration({ min: day, max: 30 * day })
      .prefault('7d')
      .describe('A buyer that could withdraw sooner than a settler can claim is refused.'),
    policy: policy.default('use'),
    drivers: z
      .array(z.string().regex(packageName, 'not the name of an npm package'))
      .max(32)
      .default([])
      .describe(
        'Packages beside this file with drivers of other makers. Their code runs in the device.',
      ),
    sensors: z.array(sensorSchema).max(64).default([]).describe('One entry a sensor.'),
    models: z.array(modelSchema).max(32).default([]).describe('One entry a model.'),
    epoch: z
      .strictObject({
        age: duration({ min: 100, max: hour })
          .prefault('10s')
          .describe(
            'An epoch closes this long after its first reading: the grain of what is sold.',
          ),
        count: z.number().int().min(1).max(65_536).default(4096).describe('Readings at most.'),
        bytes: size({ min: kib, max: 120 * kib })
          .prefault('64KiB')
          .describe('Bytes of packs at most; a broker may refuse large messages.'),
      })
      .prefault({})
      .describe('When a group of readings is closed and sealed; whatever comes first.'),
    commit: z
      .strictObject({
        delay: duration({ min: 10, max: 60 * second })
          .prefault('2s')
          .describe('Readings wait this long at most to share one fsync: flash wear against loss.'),
      })
      .prefault({})
      .describe('When readings are made durable.'),
    keep: z
      .strictObject({
        bytes: size({ min: 4 * mib, max: 1024 * gib })
          .prefault('2GiB')
          .describe('The store at most; past it the oldest epochs give way, provably.'),
        free: size({ min: 32 * mib, max: 64 * gib })
          .prefault('256MiB')
          .describe(
            'Of the disk, left to others and to the write-ahead log; below it nothing grows.',
          ),
        age: z
          .union([z.literal('never'), duration({ min: hour, max: 3660 * day })])
          .default('never')
          .describe('What is surely older goes; `never`: only for want of room.'),
      })
      .prefault({})
      .describe('How much history stays on the device.'),
    sale: z
      .strictObject({
        exposure: decimal
          .prefault('0.05')
          .describe(
            'Un-acknowledged value in tokens past which it stops serving: the most to lose.',
          ),
        sessions: z.number().int().min(1).max(10_000).default(256).describe('Open at a time.'),
        unknownPerSecond: z
          .number()
          .int()
          .min(1)
          .max(1000)
          .default(5)
          .describe('Orders of unknown sessions that are looked at; the rest dies unread.'),
      })
      .prefault({})
      .describe('What is risked on buyers.'),
    outbox: z
      .strictObject({
        window: z
          .number()
          .int()
          .min(1)
          .max(1000)
          .default(32)
          .describe('Messages in flight at a time; more only helps on long lines.'),
        bytes: size({ min: mib, max: 64 * gib })
          .prefault('1GiB')
          .describe('Unsent messages at which health reports a full outbox.'),
      })
      .prefault({})
      .describe('What waits for the broker.'),
    clock: z
      .enum(['auto', 'trusted'])
      .default('auto')
      .describe(
        '`trusted` where a host keeps the time and shows no sign of it, as in a container.',
      ),
    lostBooks: z
      .enum(['stop', 'recover'])
      .default('stop')
      .describe(
        'When an older copy of the folder was put back: stop, or go on as `wayside recover` does.',
      ),
    machine: z
      .enum(['auto', 'bound', 'any'])
      .default('auto')
      .describe(
        'Whether the folder is held to one machine: `auto` where the board has a number of its own.',
      ),
    watch: z
      .strictObject({
        host: watchHost,
        port: z.number().int().min(0).max(65_535).default(9464).describe('0 chooses a free one.'),
        log: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .describe('How much is logged: this and what is graver.'),
      })
      .prefault({})
      .describe('What operators see.'),
  })
  .superRefine((config, context) => {
    for (const { path, what, hint } of contradictions(config)) {
      context.addIssue({ code: 'custom', path: [...path], message: `${what}; ${hint}` })
    }
  })

export type Config = z.infer<typeof configSchema>
export type SensorConfig = Config['sensors'][number]
export type ModelConfig = Config['models'][number]

/** Amount in the token's smallest unit and the milliseconds that it pays for, as terms write it. */
export function priceOf(
  config: Config,
  of: SensorConfig['price'],
): { amount: string; perMs: number } {
  if (of === 'free') return { amount: '0', perMs: hour }
  const amount = smallestUnits(of.amount, config.rails[0]?.decimals ?? 0)
  if (amount === undefined) throw new RangeError('a price that the schema should have refused')
  return { amount: amount.toString(), perMs: of.per }
}

/** The schema of wayside.yaml for editors. */
export function configJsonSchema(): unknown {
  return editorSchema(configSchema)
}
