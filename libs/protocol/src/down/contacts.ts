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
  'Somebody asks somebody to be contacts; both hear it, on all of their devices.',
  { request: ContactRequest },
)

export const contactAccepted = signal(
  'contact.accepted',
  'A contact request was accepted: the person named is a contact now. Both sides hear it.',
  { request: Uuid, user: User },
)

export const contactRejected = signal(
  'contact.rejected',
  'Whom the contact request was for does not want it. Both sides hear it.',
  { request: Uuid },
)

export const contactCancelled = signal(
  'contact.cancelled',
  'Whoever sent the contact request took it back. Both sides hear it.',
  { request: Uuid },
)

export const contactRemoved = signal(
  'contact.removed',
  'The person named is no contact any more. Both sides hear it.',
  {
    user: Uuid,
  },
)
