/**
 * What is said about the body of a message beside its schema (fields.ts): its words, and the rules that a schema cannot say.
 * The SDK goes by them before it sends.
 */
import { Refusal } from './errors.ts'
import type { Body, TextBody } from './fields.ts'
import { limits } from './limits.ts'
import { bytesOf, cutText, fieldOf, isVisible, isWellFormed, lengthOf, visibleRule, wellFormedRule } from './text.ts'

/** What a body says in words, whatever its type. */
export const textOf = (body: Body): string => ('text' in body ? body.text : body.fallback)

/** As much of a body as a quote shows of it. */
export function quoted(body: Body): Body {
  if ('text' in body) return { text: cutText(body.text, quoteLimits) }
  return { type: body.type, fallback: cutText(body.fallback, quoteLimits) }
}
const quoteLimits = { graphemesMax: limits.quoteLengthMax, lengthMax: 2 * limits.quoteLengthMax, end: '…' }

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
    return new Refusal('data_too_deep', `body.data: nested deeper than ${limits.dataDepthMax}`, {
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
  return new Refusal('field_invalid', `${field}: invalid (${rule})`, { field, rule })
}
