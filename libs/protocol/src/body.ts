/**
 * The body of a message: one of several types of content. Text is the one that can be posted today. A later version will
 * bring others; whoever does not know a type shows its `fallback`, and passes the body on as it is.
 *
 * Below are the rules for a body that its schema cannot say. The SDK goes by them before it sends.
 */
import { Type } from 'typebox'
import { Refusal } from './errors.ts'
import { Uuid } from './fields.ts'
import { limits } from './limits.ts'
import { bytesOf, fieldOf, isVisible, isWellFormed, lengthOf, visibleRule, wellFormedRule } from './text.ts'

const Mentions = Type.Array(Uuid, {
  maxItems: limits.mentionsMax,
  uniqueItems: true,
  description: 'People whom the message is to be pointed out to. Whoever is no other member is passed over.',
})

export const TextBody = Type.Object(
  {
    type: Type.Optional(Type.Literal('text', { description: 'Text is what a body is that names no type.' })),
    text: Type.String({
      minLength: 1,
      maxLength: limits.textLengthMax,
      description: 'Shows something: not only blanks and signs that nobody sees.',
    }),
    data: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          "The application's own JSON, delivered with the values that it came with. What would not come back so is refused: numbers that no double holds, such as whole ones beyond 2^53, -0 and 1e400; a key that stands twice; the key `__proto__`; half of a surrogate pair; U+0000.",
      }),
    ),
    mentions: Type.Optional(Mentions),
  },
  { additionalProperties: false },
)
export type TextBody = Type.Static<typeof TextBody>

/** Content that this version does not know. Its other fields are passed on with it. */
const OtherBody = Type.Object(
  {
    type: Type.String({ minLength: 1, description: 'What a later version has brought. It is not `text`.' }),
    fallback: Type.String({ description: 'Says it in words.' }),
    mentions: Type.Optional(Mentions),
  },
  { additionalProperties: true },
)

/** What was posted, as it is read. */
export const Body = Type.Union([TextBody, OtherBody])
export type Body = Type.Static<typeof Body>

/** What a body says in words, whatever its type. */
export const textOf = (body: Body): string => ('text' in body ? body.text : body.fallback)

export function refuseBody({ text, data }: Pick<TextBody, 'text' | 'data'>): Refusal | undefined {
  if (text.length > limits.textLengthMax && lengthOf(text) > limits.textLengthMax)
    return fieldInvalid(['text'], `maxLength ${limits.textLengthMax}`)
  if (text === '') return fieldInvalid(['text'], 'minLength 1')
  if (!isWellFormed(text)) return fieldInvalid(['text'], wellFormedRule)
  if (!isVisible(text)) return fieldInvalid(['text'], visibleRule)
  return data === undefined ? undefined : refuseData(data)
}

function refuseData(data: object): Refusal | undefined {
  const flaw = flawOf(data, ['data'])
  if (flaw !== undefined) return flaw
  if (bytesOf(JSON.stringify(data)) > limits.dataBytesMax)
    return fieldInvalid(['data'], `maxBytes ${limits.dataBytesMax}`)
  return undefined
}

/** Goes at most one level beyond the limit, so that a hostile nesting cannot exhaust the stack. */
function flawOf(value: unknown, path: (string | number)[]): Refusal | undefined {
  if (typeof value === 'string') return isWellFormed(value) ? undefined : fieldInvalid(path, wellFormedRule)
  // JSON has no other numbers: JSON.stringify would make them null.
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : fieldInvalid(path, 'a finite number')
  if (typeof value === 'bigint') return fieldInvalid(path, 'no bigint')
  if (typeof value !== 'object' || value === null) return undefined
  if (path.length > limits.dataDepthMax)
    return new Refusal('data_too_deep', `body.data nests deeper than ${limits.dataDepthMax}`, {
      field: 'body.data',
      rule: `depth ${limits.dataDepthMax}`,
    })
  const isList = Array.isArray(value)
  for (const [key, child] of Object.entries(value)) {
    const place = [...path, key]
    if (!isList && !isWellFormed(key)) return fieldInvalid(place, wellFormedRule)
    const flaw = flawOf(child, place)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

function fieldInvalid(path: readonly (string | number)[], rule: string): Refusal {
  const field = fieldOf(['body', ...path])
  return new Refusal('field_invalid', `${field}: must keep to ${rule}`, { field, rule })
}
