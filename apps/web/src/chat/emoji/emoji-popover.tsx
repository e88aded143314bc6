/** The picker in a popover, loaded when it is first wanted. */
import { later, NoPlace } from '../parts/later.tsx'

/** Open as long as it is drawn. */
export const EmojiPopover = later(async () => (await import('./popover.tsx')).EmojiPopover, NoPlace)
