import { Uuid } from '../fields.ts'
import { ephemeral } from '../message.ts'

const who = { conversation: Uuid, user: Uuid }

export const typingStarted = ephemeral(
  'typing.start',
  'A member is typing. Expires after 6 seconds unless repeated.',
  who,
)
export const typingStopped = ephemeral('typing.stop', 'A member stopped typing.', who)
