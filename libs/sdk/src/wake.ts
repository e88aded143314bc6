/** What makes a client look up at once instead of waiting for its timers. */

/** Calls `wake` when there may be a network again. The answer ends it. */
export type WakeSource = (wake: () => void) => () => void

/** The browser's signs: online again, or the page is looked at again. Outside a browser there are none. */
export const browserWakes: WakeSource = wake => {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {}
  const visible = () => {
    if (document.visibilityState === 'visible') wake()
  }
  window.addEventListener('online', wake)
  document.addEventListener('visibilitychange', visible)
  return () => {
    window.removeEventListener('online', wake)
    document.removeEventListener('visibilitychange', visible)
  }
}
