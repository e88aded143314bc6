import { User } from '../fields.ts'
import { event } from '../message.ts'

export const userChanged = event(
  'user.changed',
  'Somebody whom one knows has another name or picture: oneself, a contact, or the other of a direct conversation.',
  { user: User },
)
