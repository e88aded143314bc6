/** The guest: an account by a name alone, their client, and their conversation with support. Knows nothing of the page. */
import {
  type Client,
  createClient,
  createIndexedDbSessions,
  createIndexedDbStore,
  createSignIn,
  FlotillaError,
  type User,
} from '@flotilla/sdk'
import { type ChatState, createChatState } from '@flotilla/sdk/state'

export interface Chat {
  readonly client: Client
  readonly state: ChatState
  readonly conversation: string
}

export type Stage =
  /** Until the browser has said whether it knows them. */
  | { readonly name: 'unknown' }
  /** Nobody has said a name yet, or the account is no more. */
  | { readonly name: 'stranger'; readonly failure?: FlotillaError }
  | { readonly name: 'opening'; readonly failure?: FlotillaError }
  | ({ readonly name: 'open' } & Chat)

export interface Guest {
  get(): Stage
  subscribe(changed: () => void): void
  /** Takes up what the browser has kept. */
  begin(): Promise<void>
  /** Makes the account. */
  enter(displayName: string): Promise<void>
}

/** @param to the username of the account that answers */
export function createGuest(api: string, to: string): Guest {
  const database = `flotilla-chat/${api}`
  const account = createSignIn(api, { sessions: createIndexedDbSessions({ name: database }) })
  const listeners = new Set<() => void>()
  let stage: Stage = { name: 'unknown' }
  const set = (now: Stage) => {
    stage = now
    for (const changed of listeners) changed()
  }

  async function open(client: Client, state: ChatState): Promise<void> {
    if (stage.name === 'open') return
    try {
      const { id } = await client.rest.userByName(to)
      const conversation = await client.rest.createDirect(id)
      set({ name: 'open', client, state, conversation: conversation.id })
    } catch (thrown) {
      set({ name: 'opening', failure: asFailure(thrown) })
    }
  }

  function run(user: User): void {
    set({ name: 'opening' })
    const store = createIndexedDbStore({ name: `${database}/${user.id}` })
    const client = createClient({ api, getToken: account.getToken, store })
    const state = createChatState(client)
    // With each connection, so that what failed is tried again.
    client.on('refresh', () => open(client, state))
    client.on('stopped', async ({ advice }) => {
      if (advice !== 'sign_in') return
      set({ name: 'stranger' })
      await state.stop()
      await client.stop()
    })
    client.start().catch((thrown: unknown) => set({ name: 'opening', failure: asFailure(thrown) }))
  }

  return {
    get: () => stage,
    subscribe: changed => void listeners.add(changed),
    async begin() {
      const user = await account.user()
      if (user === undefined) set({ name: 'stranger' })
      else run(user)
    },
    async enter(displayName) {
      try {
        run(await account.register({ displayName }))
      } catch (thrown) {
        set({ name: 'stranger', failure: asFailure(thrown) })
      }
    },
  }
}

const asFailure = (thrown: unknown) =>
  thrown instanceof FlotillaError ? thrown : new FlotillaError('internal', String(thrown))
