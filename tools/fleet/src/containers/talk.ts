/** Two people who register, open sockets and send a message, as any client would: by the address of an edge alone. */
import { randomUUID } from 'node:crypto'
import { type Client, createClient, createMemoryStore, createSignIn, textOf } from '@flotilla/sdk'
import { until } from '@flotilla/testing'

export interface Party {
  readonly id: string
  readonly client: Client
  /** The texts that arrived, in their order. */
  readonly texts: readonly string[]
}

export interface Talk {
  readonly alice: Party
  readonly bob: Party
  /** Alice writes; resolves when it was acknowledged and Bob has it. */
  send(text: string): Promise<void>
  /** Alice signs in anew and reads what is stored of the conversation, the oldest first. */
  readBack(): Promise<string[]>
  stop(): Promise<void>
}

const password = 'a phrase that nobody would guess'

async function join(api: string, username: string): Promise<Party> {
  const account = createSignIn(api)
  const me = await account.register({ username, password })
  const texts: string[] = []
  const client = createClient({ api, getToken: account.getToken, store: createMemoryStore() })
  client.on('message', message => void texts.push(textOf(message.body)))
  await client.start()
  return { id: me.id, client, texts }
}

/** @param api where an edge is: `http://localhost:8080` */
export async function beginTalk(api: string): Promise<Talk> {
  const usernames = ['alice', 'bob'].map(name => `${name}-${randomUUID().slice(0, 8)}`)
  const [alice, bob] = [await join(api, usernames[0]!), await join(api, usernames[1]!)]
  const { id: conversation } = await alice.client.rest.createDirect(bob.id)
  // They do not know each other: to open it is to accept it.
  await bob.client.rest.createDirect(alice.id)
  return {
    alice,
    bob,
    async readBack() {
      const account = createSignIn(api)
      await account.signIn({ username: usernames[0]!, password })
      const { rest } = createClient({ api, getToken: account.getToken, store: createMemoryStore() })
      const { entries } = await rest.history(conversation)
      return entries.flatMap(entry => (entry.event === 'message.new' ? [textOf(entry.body)] : []))
    },
    async send(text) {
      await alice.client.send({ conversation, body: { text } }).acknowledged
      await until(() => bob.texts.includes(text), { what: `Bob has "${text}"`, withinMs: 60_000 })
    },
    async stop() {
      await Promise.all([alice.client.stop(), bob.client.stop()])
    },
  }
}
