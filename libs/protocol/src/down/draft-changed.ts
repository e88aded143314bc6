import { Type } from 'typebox'
import { At, Mentions, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { signal } from '../message.ts'

/** What somebody has begun to write. */
export const DraftContent = Type.Object(
  {
    text: Type.String({ maxLength: limits.textLengthMax }),
    replyTo: Type.Optional(Seq),
    mentions: Type.Optional(Mentions),
  },
  { additionalProperties: false },
)
export type DraftContent = Type.Static<typeof DraftContent>

const draft = {
  conversation: Uuid,
  at: Type.With(At, {
    description:
      'When it was written, by the clock of the device, but never later than the server’s. The latest draft wins.',
  }),
  content: Type.Union([DraftContent, Type.Null()], { description: 'Null if emptied.' }),
}

export const Draft = Type.Object(draft, { additionalProperties: false })
export type Draft = Type.Static<typeof Draft>

export const draftChanged = signal(
  'draft.changed',
  'The user wrote or emptied a draft on one of their devices. Only their own devices receive it.',
  draft,
)
