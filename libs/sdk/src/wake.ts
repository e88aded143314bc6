/** What makes a client look up at once instead of waiting for its timers. */

/**
 * Calls `wake` when there may be a network again, `offline` when there is none, and `leave` when the device may stand still or
 * end from now on. The answer ends it.
 */
export type WakeSource = (wake: () => void, offline: () => void, leave: () => void) => () => void

/**
 * The browser's signs. Online again, the page is looked at, thawed or brought back from the cache of pages: awake. That it
 * is offline is believed as well; that it is online proves nothing. A page that is not seen any longer may never run again.
 * Outside a browser there are none.
 */
export const browserWakes: WakeSource = (wake, offline, leave) => {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {}
  const turned = () => (document.visibilityState === 'visible' ? wake : leave)()
  const listening = new AbortController()
  const { signal } = listening
  window.addEventListener('online', wake, { signal })
  window.addEventListener('offline', offline, { signal })
  window.addEventListener('pageshow', wake, { signal })
  window.addEventListener('pagehide', leave, { signal })
  document.addEventListener('visibilitychange', turned, { signal })
  document.addEventListener('resume', wake, { signal })
  return () => listening.abort()
}
