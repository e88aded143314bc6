/** The room: what is said, who types, how many are here, what is unread, and how the connection is. */
import { useConnection, useConversation, useMessages, useTyping, useUser } from '@flotilla/react'
import { textOf } from '@flotilla/sdk'
import type { MessageRow } from '@flotilla/sdk/state'
import { memo } from 'react'
import { Composer } from './composer.tsx'
import { useEnd } from './use-end.ts'
import { useOnline } from './use-online.ts'

const Message = memo(({ row }: { row: MessageRow }) => {
  const author = useUser(row.by)
  return (
    <li data-state={row.state}>
      <b>{author?.displayName ?? '…'}</b> <span dir="auto">{row.removed ? 'removed' : textOf(row.body)}</span>
    </li>
  )
})

const Button = ({ name, press }: { name: string; press(): void }) => (
  <button type="button" onClick={press}>
    {name}
  </button>
)

export function Room({ id }: { id: string }) {
  const room = useConversation(id)
  const { rows, hasOlder, actions } = useMessages(id)
  const typing = useTyping(id)
  const online = useOnline(room?.members)
  const connection = useConnection()
  const { list, show } = useEnd(rows.at(-1), room?.head ?? 0, actions.markRead)
  return (
    <main>
      <header>
        <h1>{room?.name}</h1>
        <output>{connection.name === 'live' ? `${online} here` : connection.name}</output>
      </header>
      {hasOlder && <Button name="Older" press={() => void actions.older()} />}
      <ol ref={list} aria-live="polite" aria-label="Messages">
        {rows.map(row => row.kind === 'message' && <Message key={row.key} row={row} />)}
      </ol>
      {!!room?.unread && <Button name={`${room.unread} new`} press={show} />}
      <p>{typing.length > 0 && 'Somebody is typing…'}</p>
      <Composer id={id} />
    </main>
  )
}
