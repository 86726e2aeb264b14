/** As much of JSON Schema 2020-12 as our own schema uses; what it does not know it does not let pass. */

export type JsonSchema = {
  readonly $schema?: string
  readonly description?: string
  readonly default?: unknown
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly propertyNames?: JsonSchema
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
}

/** Everything that this schema has against the value, as sentences that begin with the place. */
export function complaints(schema: JsonSchema, value: unknown, place = '$'): string[] {
  const { $schema, description, default: usual, ...rules } = schema
  return Object.entries(rules).flatMap(([rule, wanted]) => {
    const check = checks[rule]
    if (check === undefined) return [`${place}: the rule ${rule} is unknown here`]
    return check(wanted as never, value, place, schema)
  })
}

type Check = (wanted: never, value: unknown, place: string, schema: JsonSchema) => string[]

function unless(holds: boolean, complaint: string): string[] {
  return holds ? [] : [complaint]
}

const textLength = (value: unknown) => (typeof value === 'string' ? value.length : undefined)
const numeric = (value: unknown) => (typeof value === 'number' ? value : undefined)

const checks: Readonly<Record<string, Check>> = {
  type: (wanted: string | string[], value, place) =>
    unless(
      [wanted].flat().some((type) => is(type, value)),
      `${place}: is no ${wanted}`,
    ),
  const: (wanted: unknown, value, place) => unless(value === wanted, `${place}: is not ${wanted}`),
  enum: (wanted: unknown[], value, place) =>
    unless(wanted.includes(value), `${place}: is none of ${wanted.join(', ')}`),
  anyOf: (wanted: JsonSchema[], value, place) =>
    unless(
      wanted.some((one) => complaints(one, value, place).length === 0),
      `${place}: fits no branch`,
    ),
  properties: (wanted: Record<string, JsonSchema>, value, place) =>
    Object.entries(wanted).flatMap(([name, inner]) => {
      const has = is('object', value) && Object.hasOwn(value as object, name)
      return has ? complaints(inner, (value as never)[name], `${place}.${name}`) : []
    }),
  required: (wanted: string[], value, place) =>
    wanted
      .filter((name) => is('object', value) && !Object.hasOwn(value as object, name))
      .map((name) => `${place}: lacks ${name}`),
  propertyNames: (wanted: JsonSchema, value, place) =>
    namesOf(value).flatMap((name) => complaints(wanted, name, `${place}.${name}`)),
  additionalProperties(wanted: boolean | JsonSchema, value, place, { properties = {} }) {
    const more = namesOf(value).filter((name) => !Object.hasOwn(properties, name))
    if (typeof wanted === 'boolean') {
      return wanted ? [] : more.map((name) => `${place}: has no place for ${name}`)
    }
    return more.flatMap((name) => complaints(wanted, (value as never)[name], `${place}.${name}`))
  },
  items: (wanted: JsonSchema, value, place) =>
    Array.isArray(value)
      ? value.flatMap((item, i) => complaints(wanted, item, `${place}[${i}]`))
      : [],
  minLength: (wanted: number, value, place) =>
    unless((textLength(value) ?? wanted) >= wanted, `${place}: too short`),
  maxLength: (wanted: number, value, place) =>
    unless((textLength(value) ?? wanted) <= wanted, `${place}: too long`),
  maxItems: (wanted: number, value, place) =>
    unless(!Array.isArray(value) || value.length <= wanted, `${place}: too many`),
  minimum: (wanted: number, value, place) =>
    unless((numeric(value) ?? wanted) >= wanted, `${place}: under ${wanted}`),
  maximum: (wanted: number, value, place) =>
    unless((numeric(value) ?? wanted) <= wanted, `${place}: over ${wanted}`),
  pattern: (wanted: string, value, place) =>
    unless(typeof value !== 'string' || new RegExp(wanted).test(value), `${place}: not ${wanted}`),
}

function namesOf(value: unknown): string[] {
  return is('object', value) ? Object.keys(value as object) : []
}

function is(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}
