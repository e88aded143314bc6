/** What makes a client look up at once instead of waiting for its timers. */

/** Calls `wake` when there may be a network again, and `offline` when there is none. The answer ends it. */
export type WakeSource = (wake: () => void, offline: () => void) => () => void

/**
 * The browser's signs. Online again, the page is looked at, thawed or brought back from the cache of pages: awake. That it
 * is offline is believed as well; that it is online proves nothing. Outside a browser there are none.
 */
export const browserWakes: WakeSource = (wake, offline) => {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {}
  const visible = () => {
    if (document.visibilityState === 'visible') wake()
  }
  const listening = new AbortController()
  const { signal } = listening
  window.addEventListener('online', wake, { signal })
  window.addEventListener('offline', offline, { signal })
  window.addEventListener('pageshow', wake, { signal })
  document.addEventListener('visibilitychange', visible, { signal })
  document.addEventListener('resume', wake, { signal })
  return () => listening.abort()
}
