import { User } from '../fields.ts'
import { signal } from '../message.ts'

export const userChanged = signal(
  'user.changed',
  'Somebody whom one knows has another name or picture: oneself, a contact, or the other of a direct conversation.',
  { user: User },
)
