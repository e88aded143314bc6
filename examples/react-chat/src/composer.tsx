/** Where one writes: the draft is kept, on all devices, until it is sent. */
import { useDraft, useMessages } from '@flotilla/react'
import type { FormEvent } from 'react'

export function Composer({ id }: { id: string }) {
  const { content, set } = useDraft(id)
  const { actions } = useMessages(id)
  const text = content?.text ?? ''
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() !== '') actions.send({ body: { text } })
  }
  const write = (text: string) => {
    set({ text })
    actions.type()
  }
  return (
    <form onSubmit={send}>
      <input aria-label="Message" dir="auto" value={text} onChange={({ target }) => write(target.value)} />
      <button type="submit">Send</button>
    </form>
  )
}
