/**
 * Every setting of a device (wayside.yaml): default, unit, limit and the reason for both, in one schema.
 *
 * `wayside config schema` prints it as JSON Schema for editors; `wayside config check` reads a file by it.
 */
import { z } from 'zod'
import { configAddress, decimal, duration, size, smallestUnits } from './quantity.ts'
import { fieldName, streamName } from './wire/fields.ts'

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
    lat: z.number().min(-90).max(90).optional(),
    lon: z.number().min(-180).max(180).optional(),
    altM: z.number().optional(),
    note: z.string().max(500).optional(),
  })
  .describe('Where the sensor hangs: degrees (WGS 84) and metres.')

const stream = streamName.describe(
  'Name of the stream: a small letter, then up to 31 of a-z 0-9 _ . -',
)

const sensorSchema = z.strictObject({
  name: stream,
  driver: z.string().describe('Which driver reads it; `wayside drivers` lists them.'),
  port: z.string().min(1).max(500).describe('Serial port; `wayside ports` finds stable names.'),
  options: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Options of the driver; `wayside drivers ID` lists them.'),
  title: z.string().max(200).optional(),
  price: price.default('free'),
  policy: policy.optional(),
  sensor: z
    .strictObject({
      make: z.string().max(200).optional(),
      model: z.string().max(200).optional(),
      serial: z.string().max(200).optional(),
      calibration: z.string().max(1000).optional(),
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
  input: z.strictObject({ stream, field: fieldName }),
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
  title: z.string().max(200).optional(),
  price: price.default('free'),
  policy: policy.optional(),
})

const railSchema = z.strictObject({
  chainId: z.number().int().positive(),
  settlement: configAddress,
  collector: configAddress,
  token: configAddress,
  tokenName: z.string().max(100).describe('Name of the token in its own EIP-712 domain.'),
  tokenVersion: z.string().max(20).describe('Version of the token in its own EIP-712 domain.'),
  decimals: z.number().int().min(0).max(36).default(6),
})

const brokerSchema = z.strictObject({
  url: z
    .string()
    .regex(/^(mqtts?|wss?):\/\//, 'not a broker; write mqtt://host:1883 or mqtts://host:8883')
    .describe('MQTT 3.1.1 or 5.'),
  username: z.string().optional(),
  passwordFile: z.string().optional().describe('A file (0600), so that no password stands here.'),
  caFile: z.string().optional().describe('PEM of the authority that signed the broker.'),
})

export const configSchema = z
  .strictObject({
    folder: z.string().min(1).describe('Where keys and readings live. Back up the keys.'),
    broker: brokerSchema,
    operator: configAddress.describe(
      'Whose device this is: who enrols it and reads it for nothing.',
    ),
    gateway: configAddress.describe("The operator's key that signs grants, acks and claims."),
    receiver: configAddress.describe('Where the money goes.'),
    rails: z.array(railSchema).max(16).default([]).describe('Tokens taken; none: nothing is sold.'),
    withdrawDelayMin: duration({ min: day, max: 30 * day })
      .default(7 * day)
      .describe('A buyer that could withdraw sooner than a settler can claim is refused.'),
    policy: policy.default('use'),
    sensors: z.array(sensorSchema).max(64).default([]),
    models: z.array(modelSchema).max(32).default([]),
    epoch: z
      .strictObject({
        age: duration({ min: 100, max: hour })
          .default(10 * second)
          .describe(
            'An epoch closes this long after its first reading: the grain of what is sold.',
          ),
        count: z.number().int().min(1).max(65_536).default(4096).describe('Readings at most.'),
        bytes: size({ min: kib, max: mib })
          .default(64 * kib)
          .describe('Bytes of packs at most; a broker may refuse large messages.'),
      })
      .prefault({}),
    commit: z
      .strictObject({
        delay: duration({ min: 10, max: 60 * second })
          .default(2 * second)
          .describe('Readings wait this long at most to share one fsync: flash wear against loss.'),
      })
      .prefault({}),
    sale: z
      .strictObject({
        exposure: decimal
          .default('0.05')
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
      .prefault({}),
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
          .default(gib)
          .describe('Unsent messages at which health reports a full outbox.'),
      })
      .prefault({}),
    clock: z
      .enum(['auto', 'trusted'])
      .default('auto')
      .describe(
        '`trusted` where a host keeps the time and shows no sign of it, as in a container.',
      ),
    watch: z
      .strictObject({
        host: z.string().default('127.0.0.1').describe('Where /health and /metrics are served.'),
        port: z.number().int().min(0).max(65_535).default(9464).describe('0 chooses a free one.'),
        log: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      })
      .prefault({}),
  })
  .superRefine(consistent)

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

/** What no single setting can say of itself. */
function consistent(config: z.output<z.ZodObject> & object, context: z.RefinementCtx): void {
  const { sensors, models, rails, sale } = config as Config
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message })

  const named = [
    ...sensors.map(({ name, price: asked }, i) => ({ name, asked, path: ['sensors', i] })),
    ...models.map(({ name, price: asked }, i) => ({ name, asked, path: ['models', i] })),
  ]
  const seen = new Set(['device'])
  for (const { name, asked, path } of named) {
    if (seen.has(name)) {
      const why = name === 'device' ? "is the device's own chain" : 'names two streams'
      problem([...path, 'name'], `${name} ${why}; choose another name`)
    }
    seen.add(name)
    if (asked === 'free') continue
    if (rails.length === 0) {
      problem(
        [...path, 'price'],
        'a price without a rail to pay on; add `rails`, or say `price: free`',
      )
    } else if (smallestUnits(asked.amount, rails[0]?.decimals ?? 0) === undefined) {
      problem([...path, 'price', 'amount'], "finer than the token's smallest unit; lengthen `per`")
    }
  }
  for (const [i, { decimals }] of rails.entries()) {
    if (decimals !== rails[0]?.decimals) {
      problem(['rails', i, 'decimals'], 'differs from the first rail; prices need one unit')
    }
  }
  if (smallestUnits(sale.exposure, rails[0]?.decimals ?? 36) === undefined) {
    problem(['sale', 'exposure'], "finer than the token's smallest unit; round it up")
  }
  const sources = new Set(sensors.map(({ name }) => name))
  for (const [i, { input }] of models.entries()) {
    if (!sources.has(input.stream)) {
      problem(
        ['models', i, 'input', 'stream'],
        `no sensor is named ${input.stream}; name one of them`,
      )
    }
  }
}

/** The schema for editors, over what a person writes (JSON Schema 2020-12). */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
}
