/**
 * Confirming that it is oneself, where the server asks for it: the change waits, a window asks, and the change goes on. Whoever
 * closes the window has not changed anything.
 */
import { FlotillaError } from '@flotilla/sdk'
import { createValue } from '../app/value.ts'

export interface Asking {
  settle(isProved: boolean): void
}

/** What waits for the proof. */
export const asking = createValue<Asking | undefined>(undefined)

/** Runs something; if it needs proof of who one is, asks for it and runs it once more. */
export async function reauthenticated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError) || thrown.code !== 'reauthentication_required') throw thrown
    const isProved = await new Promise<boolean>(settle => asking.set({ settle }))
    asking.set(undefined)
    if (!isProved) throw thrown
    return run()
  }
}
