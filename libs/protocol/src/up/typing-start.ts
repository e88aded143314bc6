import { Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const typingStart = quietCommand(
  'typing.start',
  'Tells the other members who are here that the person types. Repeat it every few seconds; it fades by itself.',
  { conversation: Uuid },
  Nothing,
)
