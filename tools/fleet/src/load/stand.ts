/** What a scenario under load is played on: a deployment to which things are done. */
import type { Store } from './load.ts'
import type { Way } from './people-program.ts'

export interface Stand {
  readonly store: Store
  readonly way: Way
  /** Put before what must run in the network of the deployment. */
  readonly launcher: readonly string[]
  /** What each gateway takes. */
  readonly admission: { readonly connectsPerSecond: number; readonly connectionsMax: number }
  /** The gateways that take connections, by the names in their hello. */
  gateways(): Promise<readonly string[]>
  /** Replaces every gateway, one after the other. Resolves when the last of the old ones has ended. */
  rollOut(): Promise<void>
  /** Resolves when so many gateways are ready and those above that number have ended. */
  scale(gateways: number): Promise<void>
  /** Ends a gateway without a word; another one takes its place. Resolves when that is ready. */
  kill(): Promise<void>
  stop(): Promise<void>
}
