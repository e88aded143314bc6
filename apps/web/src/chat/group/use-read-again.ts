/** What is asked of a group and told by no value of its own is read again when an entry tells that it has changed. */
import { type QueryKey, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useChat } from '../hooks.ts'

/** @param key a query about who is in the group: it stays on the screen while it is read again */
export function useReadAgain(conversation: string, key: QueryKey): void {
  const { client } = useChat()
  const queries = useQueryClient()
  const name = key.join('/')
  useEffect(
    () =>
      client.on('entry', entry => {
        if (entry.conversation === conversation && entry.event.startsWith('member.'))
          void queries.invalidateQueries({ queryKey: name.split('/') })
      }),
    [client, queries, conversation, name],
  )
}
