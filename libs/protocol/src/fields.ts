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

/** A picture of a person lies there as a square of so many pixels. */
export const avatarSizes = [64, 256, 640] as const

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

export const MemberRef = Type.Object({ user: Uuid, role: Role }, { additionalProperties: false })
export type MemberRef = Type.Static<typeof MemberRef>

export const ConversationHead = Type.Object({ conversation: Uuid, head: Cursor }, { additionalProperties: false })
export type ConversationHead = Type.Static<typeof ConversationHead>

export const ConversationCursor = Type.Object({ conversation: Uuid, seq: Cursor }, { additionalProperties: false })
export type ConversationCursor = Type.Static<typeof ConversationCursor>
