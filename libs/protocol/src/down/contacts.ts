import { Type } from 'typebox'
import { At, User, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { signal } from '../message.ts'

/** An open contact request, as both sides see it. */
export const ContactRequest = Type.Object(
  { id: Uuid, from: User, to: User, note: Type.String({ maxLength: limits.contactNoteLengthMax }), at: At },
  { additionalProperties: false },
)
export type ContactRequest = Type.Static<typeof ContactRequest>

export const contactRequested = signal(
  'contact.requested',
  'A contact request was sent. Both sides receive it, on all their devices.',
  { request: ContactRequest },
)

export const contactAccepted = signal(
  'contact.accepted',
  'A contact request was accepted: `user` is now a contact. Both sides receive it.',
  { request: Uuid, user: User },
)

export const contactDeclined = signal('contact.declined', 'A contact request was declined. Both sides receive it.', {
  request: Uuid,
})

export const contactCancelled = signal(
  'contact.cancelled',
  'A contact request was cancelled by its sender. Both sides receive it.',
  { request: Uuid },
)

export const contactRemoved = signal('contact.removed', '`user` is no longer a contact. Both sides receive it.', {
  user: Uuid,
})
