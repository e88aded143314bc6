/**
 * The tabs that share a store. Each holds a Web Lock of its own as long as it lives: whoever is granted the lock of another
 * tab knows that it is gone, however it ended, and has what it left to itself while it takes it. A tab that is frozen lets
 * go of its lock, so that nothing of it has to wait until somebody looks at it again.
 */
import { randomUuid } from './uuid.ts'

export interface Tabs {
  /** This one. */
  readonly id: string
  /** Begins to live. Whatever is told of by `gone` ended later. */
  join(gone: (tab: string) => Promise<void>): Promise<void>
  /** Runs `take` if that tab is gone, and nobody else is just taking what it left. */
  ifGone(tab: string, take: () => Promise<void>): Promise<void>
  leave(): void
}

/** `undefined` where there are no Web Locks: on pages of plain http, in old browsers, outside of browsers. */
export function createTabs(name: string): Tabs | undefined {
  const { locks } = (globalThis.navigator ?? {}) as Partial<Navigator>
  if (locks === undefined || typeof BroadcastChannel === 'undefined') return undefined
  const id = randomUuid()
  const prefix = `${name}/`
  let leave: (() => void) | undefined

  /** Resolves when the lock is held. It is let go of by the answer. */
  function hold(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const held = () => new Promise<void>(release => resolve(release))
      locks?.request(prefix + id, { signal }, held).catch(reject)
    })
  }

  return {
    id,
    async join(gone) {
      if (leave !== undefined) return
      const living = new AbortController()
      const { signal } = living
      const channel = new BroadcastChannel(name)
      let release = () => {}
      leave = () => {
        leave = undefined
        living.abort()
        channel.close()
        release()
      }
      const watched = new Set([id])
      const watch = (tab: string) => {
        if (watched.has(tab)) return
        watched.add(tab)
        const over = () => {
          watched.delete(tab)
          return gone(tab)
        }
        // Granted when the tab is gone. Aborted when this one goes first.
        locks.request(prefix + tab, { signal }, over).catch(() => {})
      }
      const appear = async () => {
        release = await hold(signal)
        // Those who are here already are asked for; those who come later say so, as this one does now.
        channel.postMessage(id)
        for (const { name: lock = '' } of (await locks.query()).held ?? [])
          if (lock.startsWith(prefix)) watch(lock.slice(prefix.length))
      }
      channel.addEventListener('message', ({ data }) => watch(data as string))
      if (typeof document !== 'undefined') {
        document.addEventListener('freeze', () => release(), { signal })
        document.addEventListener('resume', () => void appear().catch(() => {}), { signal })
      }
      await appear()
    },
    async ifGone(tab, take) {
      await locks.request(prefix + tab, { ifAvailable: true }, lock => (lock === null ? undefined : take()))
    },
    leave: () => leave?.(),
  }
}
