/**
 * What the tabs of one browser know of each other, by Web Locks, which end with the tab that holds them: what one of them
 * shows to somebody right now, and which of them tells of a message. Without Web Locks each tab is alone.
 */

const seen = (conversation: string) => `flotilla/seen/${conversation}`
const locks = () => (navigator as Partial<Navigator>).locks

/** This tab shows the conversation, and has the focus; or it shows none. */
export function createSeen(): { show(conversation: string | undefined): void } {
  let shown: string | undefined
  let release = () => {}
  return {
    show(conversation) {
      if (conversation === shown) return
      shown = conversation
      release()
      if (conversation === undefined) return
      const ending = new AbortController()
      release = () => ending.abort()
      const held = () => new Promise<void>(done => ending.signal.addEventListener('abort', () => done()))
      locks()
        ?.request(seen(conversation), { mode: 'shared', signal: ending.signal }, held)
        .catch(() => {})
    },
  }
}

/** Whether some tab shows it to somebody. */
export async function isSeenElsewhere(conversation: string): Promise<boolean> {
  const held = (await locks()?.query())?.held ?? []
  return held.some(({ name }) => name === seen(conversation))
}

/** A tab that hears of the same later finds that it was told. */
const claimMs = 30_000

/** Does something in one tab alone: the one that asks first. */
export async function once(name: string, act: () => Promise<void>): Promise<void> {
  const all = locks()
  if (all === undefined) return act()
  await all.request(`flotilla/told/${name}`, { ifAvailable: true }, async lock => {
    if (lock === null) return
    await act()
    await new Promise(done => setTimeout(done, claimMs))
  })
}
