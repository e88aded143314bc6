/**
 * What comes in over HTTP, checked by the schema of its route: bytes to JSON, and JSON to a request that fits. Nothing is
 * coerced or stripped, with one exception: a URL has only text, so whole numbers in it are read as such. Nothing is filled
 * in but the length of a page.
 */
import { isWellFormed, Refusal, wellFormedRule } from '@flotilla/protocol'
import { refusalBy, refuseSource } from '@flotilla/protocol/schemas'
import type { FastifySchemaCompiler } from 'fastify'
import type { TObject, TSchema, TUnion } from 'typebox'
import type { Api } from '../app.ts'

const noBody = () => new Refusal('field_invalid', 'a JSON body is required', { field: 'body', rule: 'required' })

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Takes JSON only, only in valid UTF-8, and only what is read as it was written. An empty body is no body; its schema
 * says whether it may be missing.
 */
export function installBodyParser(app: Api): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    try {
      done(null, body.length === 0 ? undefined : readBody(body))
    } catch (error) {
      done(error as Refusal)
    }
  })
}

function readBody(body: Buffer): unknown {
  let text: string
  try {
    text = utf8.decode(body)
  } catch {
    throw new Refusal('frame_malformed', 'the body is not valid UTF-8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refusal('frame_malformed', 'the body is not valid JSON')
  }
  const refusal = refuseSource(text)
  if (refusal !== undefined) throw refusal
  // It must not pass for a body that is missing.
  if (value === null) throw noBody()
  return value
}

type Check = (value: unknown) => { value: unknown } | { error: Refusal }

function checkOf(schema: TSchema): Check {
  const refusalOf = refusalBy(schema)
  return value => {
    const error = refusalOf(value)
    return error === undefined ? { value } : { error }
  }
}

const isUnion = (schema: TSchema): schema is TUnion<TObject[]> => 'anyOf' in schema

/** A body that comes in several kinds is held against the one that it says it is, so that the refusal fits. */
function checkByKind(schema: TUnion<TObject[]>): Check {
  const tag = tagOf(schema)
  const kinds = new Map(schema.anyOf.map(one => [constOf(one, tag), checkOf(one)]))
  const rule = `one of ${[...kinds.keys()].join(', ')}`
  return value => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject)
      return { error: new Refusal('field_invalid', 'the request: must be object', { field: '', rule: 'type object' }) }
    const check = kinds.get((value as Record<string, unknown>)[tag])
    if (check !== undefined) return check(value)
    return { error: new Refusal('field_invalid', `${tag}: must be ${rule}`, { field: tag, rule }) }
  }
}

const constOf = (schema: TObject, name: string): unknown => (schema.properties[name] as { const?: unknown })?.const

/** The field by which the kinds are told apart: `kind`, `factor`. */
function tagOf({ anyOf }: TUnion<TObject[]>): string {
  const names = Object.keys(anyOf[0]?.properties ?? {})
  const tag = names.find(name => anyOf.every(one => constOf(one, name) !== undefined))
  if (tag === undefined) throw new Error('unable to check a body of several kinds: no field tells them apart')
  return tag
}

function checkBody(schema: TSchema): Check {
  const check = isUnion(schema) ? checkByKind(schema) : checkOf(schema)
  const { required = [] } = schema as { required?: readonly string[] }
  const mayBeMissing = !isUnion(schema) && required.length === 0
  return value => {
    // Fastify says null for a body that is missing; the parser has refused one that is null.
    if (value !== undefined && value !== null) return check(value)
    if (mayBeMissing) return check({})
    return { error: noBody() }
  }
}

/** What a URL can hold in its escapes and no text of ours can. */
function checkWellFormed(schema: TSchema): Check {
  const check = checkOf(schema)
  return value => {
    const ill = Object.entries(value as object).find(([, text]) => typeof text === 'string' && !isWellFormed(text))
    if (ill === undefined) return check(value)
    const [field] = ill
    return {
      error: new Refusal('field_invalid', `${field}: invalid (${wellFormedRule})`, { field, rule: wellFormedRule }),
    }
  }
}

/** At most as many digits as a whole number that is exact can have. */
const digits = /^\d{1,16}$/

/** The path or the query. */
function checkUrl(schema: TSchema): Check {
  const check = checkWellFormed(schema)
  const properties = (schema as TObject).properties as Record<string, { type?: string; default?: number }>
  const numbers = Object.keys(properties).filter(name => properties[name]?.type === 'integer')
  const defaults = Object.fromEntries(
    numbers.flatMap(name => (properties[name]?.default === undefined ? [] : [[name, properties[name].default]])),
  )
  return value => {
    const read = { ...defaults, ...(value as Record<string, unknown>) }
    for (const name of numbers) {
      const given = read[name]
      if (typeof given === 'string' && digits.test(given)) read[name] = Number(given)
    }
    return check(read)
  }
}

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) =>
  httpPart === 'body'
    ? checkBody(schema)
    : httpPart === 'querystring' || httpPart === 'params'
      ? checkUrl(schema)
      : checkOf(schema)

/** Bytes have no schema but that they must be there. */
export const bytesCompiler: FastifySchemaCompiler<TSchema> = part =>
  part.httpPart === 'body'
    ? value =>
        Buffer.isBuffer(value) && value.length > 0
          ? { value }
          : { error: new Refusal('field_invalid', 'a body is required', { field: 'body', rule: 'required' }) }
    : validatorCompiler(part)
