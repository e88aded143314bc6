import { User } from '../fields.ts'
import { signal } from '../message.ts'

export const userChanged = signal(
  'user.changed',
  'A name or avatar changed: the user’s own, a contact’s, or that of the other user of a direct conversation.',
  { user: User },
)
