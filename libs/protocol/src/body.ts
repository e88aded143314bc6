/**
 * What is said about the body of a message beside its schema (fields.ts): its words, and the rules that a schema cannot say.
 * The SDK goes by them before it sends.
 */
import { Refusal } from './errors.ts'
import type { Body, ContactBody, LocationBody, PollBody, PostedBody, TextBody } from './fields.ts'
import { limits } from './limits.ts'
import { escapeMarkup, previewText } from './markup/plain.ts'
import {
  bytesOf,
  cutText,
  fieldOf,
  flawOfLine,
  isVisible,
  isWellFormed,
  lengthOf,
  visibleRule,
  wellFormedRule,
} from './text.ts'

/** What a body says in words, whatever its type. */
export const textOf = (body: Body): string => ('text' in body ? body.text : body.fallback)

/**
 * As much of a body as a quote shows of it. What was cut off may be the end of a mark, of a spoiler for instance: a text
 * that is cut shows what a reader sees of it without asking, and no marks.
 */
export function quoted(body: Body): Body {
  if (!('text' in body)) return { type: body.type, fallback: cutText(body.fallback, quoteLimits) }
  if (cutText(body.text, quoteLimits) === body.text) return { text: body.text }
  const { graphemesMax, lengthMax, end } = quoteLimits
  // Of a block of blank code nothing is left.
  return { text: escapeMarkup(previewText(body.text, graphemesMax, lengthMax) || end) }
}
const quoteLimits = { graphemesMax: limits.quoteLengthMax, lengthMax: 2 * limits.quoteLengthMax, end: '…' }

/** Whom a body is to be pointed out to, and whether that is everybody. */
export const mentionsOf = (body: Body): readonly string[] => ('mentions' in body ? (body.mentions ?? []) : [])
export const mentionsAll = (body: Body): boolean => 'mentionsAll' in body && (body.mentionsAll ?? false)

interface Types {
  readonly text: TextBody
  readonly location: LocationBody
  readonly contact: ContactBody
  readonly poll: PollBody
}

/** The body, if it is of this type: `bodyAs('location', body)?.latitude`. Text is what a body is that names no type. */
export const bodyAs = <T extends keyof Types>(type: T, body: Body): Types[T] | undefined =>
  (body.type ?? 'text') === type && needed[type] in body ? (body as Types[T]) : undefined

/** A quote has no more of a place or a card than its words. */
const needed = { text: 'text', location: 'latitude', contact: 'name', poll: 'question' } as const

/** What is wrong with a body that is to be posted. */
export function refuseBody(body: PostedBody): Refusal | undefined {
  switch (body.type) {
    case undefined:
    case 'text':
      return refuseText('text', body.text, limits.textLengthMax) ?? refuseData(body.data)
    case 'location':
      return refuseText('fallback', body.fallback, limits.fallbackLengthMax) ?? refuseLocation(body)
    case 'contact':
      return refuseText('fallback', body.fallback, limits.fallbackLengthMax) ?? refuseContact(body)
    case 'poll':
      return refuseText('fallback', body.fallback, limits.fallbackLengthMax) ?? refusePoll(body)
    default:
      return fieldInvalid(['type'], 'one of text, location, contact, poll')
  }
}

function refusePoll({ question, options }: PollBody): Refusal | undefined {
  const { pollOptionsMin, pollOptionsMax } = limits
  if (options.length < pollOptionsMin) return fieldInvalid(['options'], `minItems ${pollOptionsMin}`)
  if (options.length > pollOptionsMax) return fieldInvalid(['options'], `maxItems ${pollOptionsMax}`)
  if (new Set(options).size < options.length) return fieldInvalid(['options'], 'uniqueItems')
  const flaws = options.map((option, at) => refuseText(`options.${at}`, option, limits.pollOptionLengthMax))
  return [refuseText('question', question, limits.pollQuestionLengthMax), ...flaws].find(flaw => flaw !== undefined)
}

function refuseText(field: string, text: string, lengthMax: number): Refusal | undefined {
  if (typeof text !== 'string') return fieldInvalid([field], 'type string')
  if (text.length > lengthMax && lengthOf(text) > lengthMax) return fieldInvalid([field], `maxLength ${lengthMax}`)
  if (text === '') return fieldInvalid([field], 'minLength 1')
  if (!isWellFormed(text)) return fieldInvalid([field], wellFormedRule)
  return isVisible(text) ? undefined : fieldInvalid([field], visibleRule)
}

function refuseLocation({ latitude, longitude, accuracyM = 0, name, address }: LocationBody): Refusal | undefined {
  return (
    refuseNumber('latitude', latitude, -90, 90) ??
    refuseNumber('longitude', longitude, -180, 180) ??
    refuseNumber('accuracyM', accuracyM, 0, limits.accuracyMMax) ??
    refuseLine('name', name, limits.nameLengthMax) ??
    refuseLine('address', address, limits.placeAddressLengthMax)
  )
}

function refuseContact({ name, organization, phones = [], emails = [] }: ContactBody): Refusal | undefined {
  const ways = [
    ...phones.map((phone, at) => refuseLine(`phones.${at}`, phone, limits.phoneLengthMax)),
    ...emails.map((email, at) => refuseLine(`emails.${at}`, email, limits.emailLengthMax)),
  ]
  return (
    refuseLine('name', name, limits.nameLengthMax) ??
    refuseLine('organization', organization, limits.nameLengthMax) ??
    ways.find(refusal => refusal !== undefined)
  )
}

function refuseNumber(field: string, value: number, min: number, max: number): Refusal | undefined {
  if (value >= min && value <= max) return undefined
  return fieldInvalid([field], value > max ? `maximum ${max}` : `minimum ${min}`)
}

function refuseLine(field: string, line: string | undefined, lengthMax: number): Refusal | undefined {
  const rule = line === undefined ? undefined : flawOfLine(line, lengthMax)
  return rule === undefined ? undefined : fieldInvalid([field], rule)
}

function refuseData(data: object | undefined): Refusal | undefined {
  if (data === undefined) return undefined
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
