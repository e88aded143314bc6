import { Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const typingStop = quietCommand(
  'typing.stop',
  'Tells online members that the user stopped typing.',
  { conversation: Uuid },
  Nothing,
)
