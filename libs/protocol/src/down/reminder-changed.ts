import { Type } from 'typebox'
import { At, Seq, Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const reminderChanged = signal(
  'reminder.changed',
  'A reminder was set, moved, cancelled or sent. Only the devices of its owner receive it. `at` is null when there is none any more.',
  { conversation: Uuid, seq: Seq, at: Type.Union([At, Type.Null()]) },
)
