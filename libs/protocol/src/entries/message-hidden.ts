import { entry } from '../message.ts'

/** In no store: what readers get in the place of a message that they have hidden. So it has no number. */
export const messageHidden = entry(
  'message.hidden',
  0,
  'Takes the place of a message that you have hidden for yourself, in pages and replays. It is never live.',
  {},
)
