/** What one has starred, on whatever device: the list that the dialog shows, and whether a message is in it. */
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useChat } from '../hooks.ts'

const queryKey = ['stars']
/** As many as the server gives at once. */
const pageMax = 100

export function useStars() {
  const { client } = useChat()
  const queries = useQueryClient()
  useEffect(() => client.on('starred', () => void queries.invalidateQueries({ queryKey })), [client, queries])
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      client.rest.stars({ limit: pageMax, ...(pageParam === '' ? {} : { after: pageParam }) }),
    initialPageParam: '',
    getNextPageParam: page => page.next,
    staleTime: 0,
  })
}

/** Of what was starred long ago the menu does not know it: there it is starred again, which changes nothing. */
export function useIsStarred(conversation: string, seq: number | undefined): boolean {
  const { data } = useStars()
  return (
    data?.pages.some(({ stars }) =>
      stars.some(({ message }) => message.conversation === conversation && message.seq === seq),
    ) ?? false
  )
}
