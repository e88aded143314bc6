import { TimerMs } from '../fields.ts'
import { entry } from '../message.ts'

export const conversationTimerChanged = entry(
  'conversation.timer_changed',
  19,
  'The message timer changed. It applies to messages posted from here on.',
  { timerMs: TimerMs },
)
