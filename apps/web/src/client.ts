/** What runs for somebody who is signed in: a chunk of its own, since the page for signing in needs none of it. */
import { type Client, createClient, createIndexedDbStore, type GetToken, type User } from '@flotilla/sdk'
import { type ChatState, createChatState, createIndexedDbArchive } from '@flotilla/sdk/state'

export interface Running {
  readonly client: Client
  /** What is shown of the conversations. */
  readonly state: ChatState
  /** Ends it and wipes what it has kept. */
  end(): Promise<void>
}

export function run(api: string, user: User, getToken: GetToken): Running {
  const store = createIndexedDbStore({ name: `flotilla/${user.id}` })
  const client = createClient({ api, getToken, store })
  const state = createChatState(client, { archive: createIndexedDbArchive({ name: `flotilla/${user.id}/state` }) })
  // What the start fails of is told as the state of the connection.
  client.start().catch(() => {})
  // A chunk that cannot be loaded leaves the page as it is, without them.
  const alerts = import('./notices/alerts.ts').then(
    ({ startAlerts }) => startAlerts({ client, state, user }),
    () => () => {},
  )
  return {
    client,
    state,
    async end() {
      // Each of them, though one before it fails: what stays behind is somebody's.
      for (const step of [
        async () => (await alerts)(),
        async () => (await import('./notices/forget-push.ts')).forgetPush(),
        () => state.wipe(),
        () => state.stop(),
        () => client.stop(),
        () => store.close(),
      ])
        await step().catch(() => {})
    },
  }
}
