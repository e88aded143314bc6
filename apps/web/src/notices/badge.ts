/** How many messages wait, where the page itself is not seen: in its title, and on the icon of the application. */
import type { ChatState } from '@flotilla/sdk/state'

const name = 'Flotilla'
/** The server counts no further in one conversation. */
const shownMax = 999

/** Those in muted conversations are not counted. @returns what ends it, and clears both */
export function showBadge({ unread }: ChatState): () => void {
  const show = (count: number) => {
    document.title = count === 0 ? name : `(${count > shownMax ? `${shownMax}+` : count}) ${name}`
    // Zero clears it. Where there is no icon, there is nothing to tell.
    navigator.setAppBadge?.(count).catch(() => {})
  }
  const end = unread.subscribe(() => show(unread.get().loud))
  show(unread.get().loud)
  return () => {
    end()
    show(0)
  }
}
