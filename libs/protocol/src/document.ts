/**
 * What the documents of the wire (AsyncAPI) and of REST (OpenAPI) have in common: how schemas are shown to readers and
 * tools, and examples that are put together from them.
 */

/** As much of JSON Schema as the documents have. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A copy in which each object is replaced by what `change` makes of it, the inner ones first. */
export function rewrite(value: Json, change: (object: { [key: string]: Json }) => Json): Json {
  if (Array.isArray(value)) return value.map(child => rewrite(child, change))
  if (typeof value !== 'object' || value === null) return value
  return change(Object.fromEntries(Object.entries(value).map(([key, child]) => [key, rewrite(child, change)])))
}

const wordOf = (one: Schema) => one.const ?? one.enum?.[0]

/** One of several words is one `enum`, with null among them where it may be null; typebox writes so many alternatives. */
export const joinWords = (document: Json): Json =>
  rewrite(document, object => {
    const { anyOf, ...rest } = object
    if (!Array.isArray(anyOf)) return object
    const choices = anyOf as readonly Schema[]
    const isNull = choices.map(one => one.type === 'null')
    if (!choices.every((one, at) => typeof wordOf(one) === 'string' || isNull[at])) return object
    const type = isNull.includes(true) ? ['string', 'null'] : 'string'
    return { type, enum: choices.map(one => (wordOf(one) as string | undefined) ?? null), ...rest }
  })

/** Of a kind of entry that a later version may bring. */
const laterKind = {
  type: 'object',
  required: ['event', 'conversation', 'seq'],
  properties: { event: { type: 'string' }, conversation: { type: 'string' }, seq: { type: 'integer', minimum: 1 } },
  description: 'A kind added by a later version: move the cursor and skip the entry.',
}

const isEvent = (one: Json) => typeof wordOf((one as Schema).properties?.['event'] ?? {}) === 'string'

/**
 * What the server says, for readers of today: a client passes over fields and kinds of entry that it does not know, so a
 * later server may say more. The schemas themselves stay closed, so that tests see what is said by mistake.
 */
export const openAnswers = (answers: Json): Json =>
  rewrite(answers, ({ additionalProperties, ...rest }) => ({
    ...rest,
    ...(additionalProperties === undefined || additionalProperties === false ? {} : { additionalProperties }),
    ...(Array.isArray(rest['anyOf']) && rest['anyOf'].length > 1 && rest['anyOf'].every(isEvent)
      ? { anyOf: [...rest['anyOf'], laterKind] }
      : {}),
  }))

/** Values of fields by their names; of several the first that fits is taken. */
export type FieldValues = Readonly<Record<string, readonly unknown[]>>

const alice = '0197f6a0-6c0d-4a57-8a43-7f9d3c1e5b22'
const bob = '0197f6a0-9d41-4b36-9f0e-2c8a51d07e64'
const group = '0197f6a2-8e0a-4d0e-9f57-2f2f1c9d6a11'
const other = '0197f6a3-1c55-4c0b-b0ad-0c6b6a1f4d33'
const now = 1_767_225_600_000

/** For the fields of the wire. */
export const wireValues: FieldValues = {
  accuracyM: [20],
  address: ['12 Quay Street, Auckland'],
  avatar: [other],
  by: [alice],
  connection: ['c-7f9d3c1e'],
  conversation: [group],
  displayName: ['Alice'],
  emails: ['alice@example.org'],
  emoji: ['👍'],
  emojis: ['👍'],
  epoch: [1],
  fallback: ['Ferry Building, 12 Quay Street, Auckland (-36.8421, 174.7672)'],
  field: ['body.text'],
  id: [alice, 1],
  latitude: [-36.8421],
  longitude: [174.7672],
  mentions: [bob],
  message: ['body.text: must not have more than 8000 characters'],
  name: ['Harbour crew'],
  node: ['gateway-1'],
  note: ['We met at the harbour'],
  op: ['message.send'],
  organization: ['Harbour Ferries'],
  phones: ['+64 9 555 0123'],
  own: ['👍'],
  protocol: [1],
  reactionEmojis: ['👍'],
  region: ['eu'],
  retryMs: [1_000],
  rule: ['maxLength 8000'],
  session: [other],
  text: ['Hello'],
  time: ['2027-03-28T09:30'],
  unread: [3],
  user: [bob],
  username: ['alice'],
  users: [bob],
  zone: ['Europe/Madrid'],
}

function fits(
  { type, pattern, format, minimum, maximum, minLength = 0, maxLength = Infinity }: Schema,
  value: unknown,
) {
  if (typeof value === 'string')
    return (
      type === 'string' &&
      format !== 'binary' &&
      value.length >= minLength &&
      value.length <= maxLength &&
      (pattern === undefined || new RegExp(pattern).test(value))
    )
  if (typeof value === 'number')
    return (
      (type === 'integer' || type === 'number') && value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)
    )
  return type === typeof value
}

/** Fields that are alike whatever their name: times, ids, counts. */
function byKind(name: string, { type, minimum = 0 }: Schema): readonly unknown[] {
  if (type === 'integer' || type === 'number') return /(At|Until|^at|After)$/.test(name) ? [now] : [42, minimum]
  return type === 'boolean' ? [true] : [other]
}

/**
 * Makes an example of a schema.
 * @param values what fields are given, by their names
 * @param resolve finds what a reference points to
 * @param name of the field that the schema is of
 * @returns undefined where there is none to be made: bytes, and texts that `values` does not know
 */
export function exampleOf(
  schema: Schema,
  values: FieldValues = wireValues,
  resolve: (ref: string) => Schema = () => ({}),
  name = '',
): unknown {
  const inner = (one: Schema, field: string) => exampleOf(one, values, resolve, field)
  if (schema.$ref !== undefined) return inner(resolve(schema.$ref), name)
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.anyOf !== undefined) {
    const shown = schema.anyOf.find(one => one.type !== 'null')
    return shown === undefined ? null : inner(shown, name)
  }
  if (schema.type === 'object')
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([field, one]) => [field, inner(one, field)]))
  if (schema.type === 'array') return [inner(schema.items ?? {}, name)]
  if (schema.type === 'null') return null
  return [...(values[name] ?? []), ...byKind(name, schema)].find(value => fits(schema, value))
}
