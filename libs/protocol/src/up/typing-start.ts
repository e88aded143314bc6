import { Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const typingStart = quietCommand(
  'typing.start',
  'Tells online members that the user is typing. Repeat it every few seconds; it expires by itself.',
  { conversation: Uuid },
  Nothing,
)
