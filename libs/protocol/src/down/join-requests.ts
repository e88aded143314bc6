import { Type } from 'typebox'
import { At, User, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { signal } from '../message.ts'

/** Somebody asks to be let into a group. */
export const JoinRequest = Type.Object(
  {
    conversation: Uuid,
    name: Type.String({ maxLength: limits.nameLengthMax, description: 'The name of the group.' }),
    user: User,
    at: At,
  },
  { additionalProperties: false },
)
export type JoinRequest = Type.Static<typeof JoinRequest>

export const joinRequested = signal(
  'join.requested',
  'A user asks to join a group whose requests the recipient can answer.',
  {
    request: JoinRequest,
  },
)

export const joinAnswered = signal(
  'join.answered',
  'A join request was approved, declined or withdrawn. Sent to the requester and to members who can answer requests.',
  {
    conversation: Uuid,
    user: Type.With(Uuid, { description: 'The requester.' }),
    answer: Type.Union([Type.Literal('approved'), Type.Literal('declined'), Type.Literal('withdrawn')]),
  },
)
