/** A room in twenty lines: the example of the README. */
import { useDraft, useMessages, useTyping, useUser } from '@flotilla/react'
import { textOf } from '@flotilla/sdk'
import type { MessageRow } from '@flotilla/sdk/state'
import { type FormEvent, memo } from 'react'

const Message = memo(({ row }: { row: MessageRow }) => {
  const author = useUser(row.by)
  return <li>{`${author?.displayName ?? '…'}: ${textOf(row.body)}`}</li>
})

export function Room({ id }: { id: string }) {
  const { rows, hasOlder, actions } = useMessages(id)
  const typing = useTyping(id)
  const { content, set } = useDraft(id)
  const send = (event: FormEvent) => {
    event.preventDefault()
    actions.send({ body: { text: content?.text ?? '' } })
  }
  return (
    <form onSubmit={send}>
      <button type="button" disabled={!hasOlder} onClick={() => void actions.older()} children="Older" />
      <ol>{rows.map(row => row.kind === 'message' && <Message key={row.key} row={row} />)}</ol>
      <input value={content?.text ?? ''} onChange={({ target }) => set({ text: target.value })} />
      {typing.length > 0 && <p>…</p>}
    </form>
  )
}
