/** The vocabulary of fields that only REST has, and how its shapes are put together. The rest is the wire's (../fields.ts). */
import { Type } from 'typebox'
import * as wire from '../fields.ts'
import { limits } from '../limits.ts'

export const closed = { additionalProperties: false }

/** A list that may be read-only on our side. */
export function listOf<T extends Type.TSchema>(schema: T, options: Type.TSchemaOptions = {}) {
  return Type.Immutable(Type.Array(schema, options))
}

/** `true` or `false` in a query. */
export const flag = (description: string) => Type.Union([Type.Literal('true'), Type.Literal('false')], { description })

/** One of several words. */
export const oneOf = <const Words extends readonly string[]>(words: Words, options: Type.TSchemaOptions = {}) =>
  Type.Unsafe<Words[number]>(
    Type.Union(
      words.map(word => Type.Literal(word)),
      options,
    ),
  )

/** Gives a shape its name in the OpenAPI document, where it then stands once. */
export function named<T extends Type.TSchema>(title: string, schema: T): T {
  return Type.With(schema, { title }) as unknown as T
}

/** A shape as the answer of a route: the sentence is about the answer, so that the shape stays the same everywhere. */
export function answered<T extends Type.TSchema>(description: string, schema: T): T {
  return Type.With(schema, { [answerDescription]: description }) as unknown as T
}

/** Where @fastify/swagger looks for it. */
export const answerDescription = 'x-response-description'

/** The answer of a route that has nothing to tell. */
export const done = (description = 'Done.') => ({ 204: Type.Null({ description }) })

/** An answer of bytes. */
export const file = (type: string, description: string) => ({ description, content: { [type]: { schema: Bytes } } })
export const Bytes = Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' })

/**
 * Adds to a shape in the document what the domain demands of it beyond that: it can say so in better words than a check of
 * the schema could.
 */
export function saying<T extends Type.TSchema>(keywords: object, schema: T): T {
  return Type.With(schema, { [saidOnly]: keywords }) as unknown as T
}

/** Where openapi.ts of the API looks for it. */
export const saidOnly = 'x-said-only'

/** Blanks at the ends are cut off. */
const edge = '[\\t-\\r \\u00a0\\u2028\\u2029]*'
const withoutControls = {
  pattern: `^${edge}[^\\u0000- \\u007f-\\u00a0\\u2028\\u2029][^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*${edge}$`,
}
const withLines = { pattern: `^${edge}(?:\\r\\n|[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f])*${edge}$` }

/** One line. */
export const nameOf = (lengthMax: number, options: Type.TSchemaOptions = {}) =>
  saying(withoutControls, Type.String({ minLength: 1, maxLength: lengthMax, ...options }))
/** Lines, or nothing. */
export const textOf = (lengthMax: number, options: Type.TSchemaOptions = {}) =>
  saying(withLines, Type.String({ maxLength: lengthMax, ...options }))

export const Username = Type.String({ minLength: 1, maxLength: 64, description: 'Case-insensitive.' })
export const Password = Type.String({ minLength: 1, maxLength: 1024 })
/** One that is being set. What is too short is refused as weak, and not as ill-formed. */
export const NewPassword = saying({ minLength: 8, maxLength: 200 }, Password)
export const DisplayName = nameOf(limits.nameLengthMax)
/** Stricter than the domain in every point, so that nobody is registered and then cannot be signed in. */
export const DeviceName = Type.String({
  pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]{1,60}$',
  description: 'A name for this device in the list of sessions. No control or bidirectional formatting characters.',
})
export const InvitationCode = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'An invitation code. Spaces, hyphens and case are ignored.',
})
/** As lax as can be: the domain decides. */
export const Email = Type.String({ minLength: 3, maxLength: 320, description: 'An email address.' })

export const User = named('User', wire.User)

/** `{id}` in a path. */
export const ById = Type.Object({ id: wire.Uuid }, closed)

/** `{id}` of a conversation, with the `{seq}` of a message in it, or with one of its people. */
export const BySeq = Type.Object({ id: wire.Uuid, seq: wire.Seq }, closed)
export const ByMember = Type.Object({ id: wire.Uuid, user: wire.Uuid }, closed)

/** `?limit=` with its bounds, and what is filled in where it is left out. */
export const pageLimit = (fallback: number, max: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: max, default: fallback })) as Type.TOptional<Type.TInteger> & {
    readonly default: number
  }

export const PageCursor = Type.String({
  minLength: 1,
  maxLength: 256,
  description:
    '`next` of the previous page, an opaque cursor; missing on the last page. A page can hold fewer items than `limit`.',
})

/** Where a request came from, so that the user can recognize it. */
export const clientInfo = {
  address: Type.String({ description: 'The IP address; empty if unknown.' }),
  country: Type.String({ description: 'ISO 3166-1 alpha-2 country code; empty if unknown.' }),
  agent: Type.String({ description: 'The `User-Agent` header, truncated.' }),
}
export interface ClientInfo extends Type.Static<Type.TObject<typeof clientInfo>> {}

/** Asks for the refresh token as a cookie. */
export const CookieHeader = Type.Object({
  'x-flotilla-cookie': Type.Optional(
    Type.Literal('1', { description: 'Return the refresh token in an HTTP-only cookie instead of the body.' }),
  ),
})

/** Refusals of routes inside a conversation: for its members, of one of its messages, and for those who may do that in a group. */
export const asMember = ['conversation_unknown', 'not_a_member'] as const
export const ofMessage = [...asMember, 'message_unknown'] as const
export const inGroup = [...asMember, 'role_insufficient', 'not_a_group'] as const

/** Refusals of every route that creates an account. */
export const registrationRefusals = ['registration_closed', 'invitation_invalid'] as const
