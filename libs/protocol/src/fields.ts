/** The vocabulary of fields that commands, replies and events are made of. */
import { Type } from 'typebox'
import { limits } from './limits.ts'

export const Uuid = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'A UUID in lower case.',
})

export const Seq = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "An entry's place in its conversation; 1 is the first.",
})
export const Cursor = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The highest seq below which nothing is missing; 0 is none.',
})
export const At = Type.Integer({ description: 'Milliseconds since 1970-01-01 UTC, by the clock of the store.' })
export const ReplyBytes = Type.Integer({
  minimum: limits.replyBytesMin,
  maximum: limits.replyBytesMax,
  description: 'How large the reply may be, for a client behind a slow line; one entry always fits.',
})
export const Epoch = Type.Integer({
  minimum: 1,
  description: 'Changes when the store was restored from a backup: cursors of another epoch mean nothing.',
})

/** A person, as others see them. */
export const User = Type.Object(
  {
    id: Uuid,
    username: Type.String(),
    displayName: Type.String(),
    avatar: Type.Union([Uuid, Type.Null()], {
      description: 'The picture lies at /v1/avatars/{avatar}/{64, 256 or 640}; another picture has another id.',
    }),
  },
  { additionalProperties: false },
)
export type User = Type.Static<typeof User>

export const Role = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('member')])
export type Role = Type.Static<typeof Role>

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

/**
 * What was posted, as it is read: one of several types of content. Text is what can be posted today. Whoever does not know a
 * type shows its `fallback`, and passes the body on as it is.
 */
export const Body = Type.Union([TextBody, OtherBody])
export type Body = Type.Static<typeof Body>

export const MemberRef = Type.Object({ user: Uuid, role: Role }, { additionalProperties: false })
export type MemberRef = Type.Static<typeof MemberRef>

export const ConversationHead = Type.Object({ conversation: Uuid, head: Cursor }, { additionalProperties: false })
export type ConversationHead = Type.Static<typeof ConversationHead>

export const ConversationCursor = Type.Object({ conversation: Uuid, seq: Cursor }, { additionalProperties: false })
export type ConversationCursor = Type.Static<typeof ConversationCursor>
