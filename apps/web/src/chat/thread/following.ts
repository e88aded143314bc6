/** The threads that one follows, what is unread in them, and whether one follows a thread: on whatever device it changes. */
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useChat } from '../hooks.ts'

const threadsKey = ['threads']

/** Reads again what a query has when a reply comes, or one's own place in a thread changes. */
function useThreadNews(): void {
  const { client } = useChat()
  const queries = useQueryClient()
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: threadsKey })
    const ends = [
      client.on('thread', again),
      client.on('message', ({ thread }) => {
        if (thread !== undefined) again()
      }),
    ]
    return () => {
      for (const end of ends) end()
    }
  }, [client, queries])
}

/** Those that one follows, the one with the latest reply first. */
export function useThreads() {
  const { client } = useChat()
  useThreadNews()
  return useInfiniteQuery({
    queryKey: [...threadsKey, 'followed'],
    queryFn: ({ pageParam }) => client.rest.threads.list(pageParam === '' ? {} : { after: pageParam }),
    initialPageParam: '',
    getNextPageParam: page => page.next,
    staleTime: 0,
  })
}

/** Undefined while it is not known. */
export function useIsFollowing(conversation: string, root: number): boolean | undefined {
  const { client } = useChat()
  useThreadNews()
  const { data } = useQuery({
    queryKey: [...threadsKey, conversation, root],
    queryFn: () => client.rest.threads.read(conversation, root, { limit: 1 }),
    staleTime: 0,
  })
  return data === undefined ? undefined : (data.root.replies?.following ?? false)
}
