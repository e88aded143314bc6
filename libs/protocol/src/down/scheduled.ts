import { Type } from 'typebox'
import { At, Seq, PostedBody, Uuid } from '../fields.ts'
import { signal } from '../message.ts'

/** A local time: when the rules of its zone change, the message is sent by the new ones. */
export const LocalTime = Type.Object(
  {
    time: Type.String({
      pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}$',
      description:
        'Local time: `2027-03-28T09:00`. A time that the change to summer time skips is moved forward by as much; of a time that occurs twice, the first is used.',
    }),
    zone: Type.String({ minLength: 1, maxLength: 64, description: 'An IANA time zone: `Europe/Amsterdam`.' }),
  },
  { additionalProperties: false },
)
export type LocalTime = Type.Static<typeof LocalTime>

/** A message that is sent later, as its sender sees it. */
export const ScheduledMessage = Type.Object(
  {
    id: Type.With(Uuid, { description: 'The `clientId` of the message.' }),
    conversation: Uuid,
    body: PostedBody,
    replyTo: Type.Optional(Seq),
    thread: Type.Optional(
      Type.With(Seq, { description: 'The seq of the root of the thread that it will be posted in.' }),
    ),
    alsoInConversation: Type.Optional(
      Type.Boolean({ description: 'Whether it will be shown in the conversation too. Only with `thread`.' }),
    ),
    at: Type.With(At, { description: 'When it will be sent.' }),
    local: Type.Optional(LocalTime),
    state: Type.Union([Type.Literal('waiting'), Type.Literal('sending'), Type.Literal('failed')], {
      description:
        '`sending`: it is due, and can no longer be edited or cancelled. `failed`: it could not be sent, and `failure` has the error code. It is kept so that you can copy, reschedule or delete it.',
    }),
    failure: Type.Optional(Type.String({ description: 'An error code.' })),
  },
  { additionalProperties: false },
)
export type ScheduledMessage = Type.Static<typeof ScheduledMessage>

export const scheduledChanged = signal(
  'scheduled.changed',
  'A scheduled message was added, edited, cancelled or sent, or it failed. Only the devices of its sender receive it.',
  {
    scheduled: Type.With(Uuid, { description: 'Its id.' }),
    message: Type.Optional(
      Type.With(ScheduledMessage, { description: 'Its current state. Absent when it was sent or cancelled.' }),
    ),
  },
)
