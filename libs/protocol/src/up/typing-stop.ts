import { Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const typingStop = quietCommand(
  'typing.stop',
  'Tells the other members who are here that the person has stopped typing.',
  { conversation: Uuid },
  Nothing,
)
