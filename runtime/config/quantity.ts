/** The small languages of the configs: durations, sizes, amounts, the broker's line, as zod schemas. */
import { z } from 'zod'
import { contradictionsIn } from '../link/settings.ts'
import { parseAddress } from '../wire/address.ts'

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Numbers as YAML reads them, without the exponent that JavaScript gives to small ones. */
const spelledOut = new Intl.NumberFormat('en-US', {
  useGrouping: false,
  maximumFractionDigits: 20,
})

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** Bounds are in milliseconds for durations and in bytes for sizes. */
export type Bounds = { readonly min: number; readonly max: number }

/** A length of time as `500ms`, `10s`, `5min`, `1h`, `90d`; becomes milliseconds. */
export function duration(bounds: Bounds) {
  return quantity(durationUnits, bounds, 'a length of time', 'write for instance 10s, 5min or 1h')
}

/** An amount of bytes as `512B`, `64KiB`, `1GiB`; becomes bytes. */
export function size(bounds: Bounds) {
  return quantity(sizeUnits, bounds, 'a size', 'write for instance 64KiB or 1GiB')
}

/** A decimal number in words that lose nothing: `0.00036`. YAML numbers are taken as they print. */
export const decimal = z
  .union([z.string(), z.number()])
  .transform((given) => (typeof given === 'string' ? given : spelledOut.format(given)))
  .refine((text) => /^[0-9]{1,30}(\.[0-9]{1,30})?$/.test(text), {
    message: 'not a decimal number; write it as 0.00036, without sign or exponent',
  })

/** An address in any spelling; becomes lower case. A bare 0x number must stand in quotes. */
export const configAddress = z
  .union([z.string(), z.number()], { error: 'not an address; write 0x and 40 hex digits' })
  .transform((given, context) => {
    const address = typeof given === 'string' ? parseAddress(given) : undefined
    if (address !== undefined) return address
    const unquoted = typeof given === 'number'
    context.addIssue({
      code: 'custom',
      message: unquoted
        ? 'read as a number, being without quotes; put the address in quotes'
        : 'not an address; write 0x and 40 hex digits, in quotes',
    })
    return z.NEVER
  })
  .meta({ type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' })

const noBroker = 'not a broker; write mqtt://host:1883 or mqtts://host:8883'

/** A host, and a port that there can be. */
function hasHost(url: string): boolean {
  return URL.canParse(url) && new URL(url).hostname !== ''
}

const loginInUrl = 'a login stands in the address; write it as `username` and `passwordFile`'

/** A path; where it begins with no slash, from the folder of the file that it stands in (config/place.ts). */
export const file = z.string().min(1)

/** An empty one would be every address of the machine. */
export const watchHost = z
  .string()
  .min(1)
  .default('127.0.0.1')
  .describe('Where /health and /metrics are served.')

/** Where a broker listens. */
export const brokerUrl = z
  .string()
  .regex(/^(mqtts?|wss?):\/\//, { error: noBroker, abort: true })
  .refine(hasHost, noBroker)
  .refine((url) => !/^\w+:\/\/[^/]*@/.test(url), loginInUrl)
  .describe('MQTT 3.1.1 or 5.')

/** The line to a broker, as device, gateway and buyer write it. */
export const brokerLine = z
  .strictObject({
    url: brokerUrl,
    username: z.string().optional().describe('Login, where the broker wants one.'),
    passwordFile: file.optional().describe('A file (0600), so that no password stands here.'),
    caFile: file.optional().describe('PEM of the authority that signed the broker.'),
    certFile: file.optional().describe('PEM of our own certificate, where the broker wants one.'),
    keyFile: file.optional().describe('PEM of its key (0600), without a password.'),
    version: z
      // YAML reads a bare 5 as a number.
      .union([z.enum(['auto', '3.1.1', '5']), z.literal(5)], {
        error: 'not a version of MQTT; write auto, 3.1.1 or 5',
      })
      .transform((version) => (version === 5 ? '5' : version))
      .prefault('auto')
      .describe('`auto` speaks MQTT 5 where the broker can: only there a refusal has a name.'),
  })
  .superRefine((line, context) => {
    for (const { setting, what, hint } of contradictionsIn(line)) {
      context.addIssue({ code: 'custom', path: [setting], message: `${what}; ${hint}` })
    }
  })

/** A decimal amount in a token's smallest unit; undefined when it is finer than that. */
export function smallestUnits(text: string, decimals: number): bigint | undefined {
  const [whole = '0', fraction = ''] = text.split('.')
  const kept = fraction.replace(/0+$/, '')
  if (kept.length > decimals) return undefined
  return BigInt(whole + kept.padEnd(decimals, '0'))
}

/** The amount as a person writes it: 1234567 with 6 decimals is 1.234567. */
export function decimalText(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

function quantity(
  scale: Readonly<Record<string, number>>,
  { min, max }: Bounds,
  noun: string,
  cure: string,
) {
  const form = new RegExp(`^([0-9]{1,9}(?:\\.[0-9]{1,6})?) ?(${Object.keys(scale).join('|')})$`)
  const spelled = (value: number) => spell(scale, value)
  return z
    .string({ error: `not ${noun}; ${cure}` })
    .regex(form, `not ${noun}; ${cure}`)
    .transform((text, context) => {
      const [, number = '', unit = ''] = form.exec(text) ?? []
      const value = Math.round(Number(number) * (scale[unit] ?? 1))
      if (value >= min && value <= max) return value
      context.addIssue({
        code: 'custom',
        message: `${text} is outside its limits; choose from ${spelled(min)} to ${spelled(max)}`,
      })
      return z.NEVER
    })
}

/** The value in the largest unit that writes it whole. */
function spell(scale: Readonly<Record<string, number>>, value: number): string {
  const fitting = Object.entries(scale).filter(([, factor]) => value % factor === 0)
  const [unit = '', factor = 1] = fitting.at(-1) ?? []
  return `${value / factor}${unit}`
}

/** The schema of a config for editors, over what a person writes (JSON Schema 2020-12). */
export function editorSchema(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    // An address may not be written as a number, though it is read as one to say so.
    override: ({ jsonSchema }) => {
      if (jsonSchema.type === 'string') delete jsonSchema.anyOf
    },
  })
}
