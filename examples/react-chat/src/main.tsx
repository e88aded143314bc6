/** Signs a guest in by a name alone, joins or creates the room, and shows it. */
import { FlotillaProvider } from '@flotilla/react'
import {
  createClient,
  createIndexedDbSessions,
  createIndexedDbStore,
  createSignIn,
  type Rest,
  type User,
} from '@flotilla/sdk'
import { createChatState } from '@flotilla/sdk/state'
import { createRoot } from 'react-dom/client'
import { Entrance } from './entrance.tsx'
import { Room } from './room.tsx'

const api = (import.meta.env['VITE_API'] as string | undefined) ?? 'http://localhost:8080'
const account = createSignIn(api, { sessions: createIndexedDbSessions({ name: 'react-chat' }) })
const root = createRoot(document.getElementById('app')!)

const register = async (name: string) => enter(await account.register({ displayName: name }))
const askForName = (reason?: string) => root.render(<Entrance onName={register} reason={reason} />)

async function enter(user: User): Promise<void> {
  const store = createIndexedDbStore({ name: `react-chat/${user.id}` })
  const client = createClient({ api, getToken: account.getToken, store })
  const state = createChatState(client)
  client.on('stopped', ({ advice }) => advice === 'sign_in' && askForName())
  void client.start()
  const room = await openRoom(client.rest)
  root.render(
    <FlotillaProvider client={client} state={state}>
      <Room id={room} />
    </FlotillaProvider>,
  )
}

/** The room of the invite link in the address; or a new one, whose link goes there. */
async function openRoom({ groups, createGroup }: Rest): Promise<string> {
  const token = location.hash.slice(1)
  const joined = token === '' ? undefined : await groups.join(token)
  if (joined !== undefined && 'id' in joined) return joined.id
  const { id } = await createGroup('Lobby', [])
  await groups.change(id, { newcomerHistory: null })
  location.hash = (await groups.makeLink(id)).token
  return id
}

const known = await account.user()
if (known === undefined) askForName()
else enter(known).catch((error: Error) => askForName(error.message))
