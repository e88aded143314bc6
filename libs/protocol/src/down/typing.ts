import { Uuid } from '../fields.ts'
import { event } from '../message.ts'

const who = { conversation: Uuid, user: Uuid }

export const typingStarted = event('typing.start', 'A member types. It fades after 6 seconds unless repeated.', who)
export const typingStopped = event('typing.stop', 'A member stopped typing.', who)
