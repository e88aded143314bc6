/** One's contacts, and who has asked whom: read once, and again when something of that changes on whatever device. */
import type { User } from '@flotilla/sdk'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useChat } from '../chat/hooks.ts'

const key = 'contacts'
/** As many as the server gives at once. */
const contactsPageMax = 200
const requestsPageMax = 100

export function useContactNews(): void {
  const { client } = useChat()
  const queries = useQueryClient()
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: [key] })
    const ends = [client.on('contact', again), client.on('block', again)]
    return () => {
      for (const end of ends) end()
    }
  }, [client, queries])
}

/** All of them, since they are searched and sorted by name here. */
export function useContacts() {
  const { client } = useChat()
  const query = useInfiniteQuery({
    queryKey: [key, 'all'],
    queryFn: ({ pageParam }) =>
      client.rest.contacts.list({ limit: contactsPageMax, ...(pageParam === '' ? {} : { after: pageParam }) }),
    initialPageParam: '',
    getNextPageParam: page => page.next,
    select: ({ pages }): readonly User[] => pages.flatMap(page => page.contacts.map(({ user }) => user)),
    staleTime: 0,
  })
  const { hasNextPage, isFetching, isError, fetchNextPage } = query
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage()
  }, [hasNextPage, isFetching, isError, fetchNextPage])
  return query
}

/** As many as may be open stand on one page. */
export function useContactRequests(direction: 'sent' | 'received') {
  const { client } = useChat()
  return useInfiniteQuery({
    queryKey: [key, direction],
    queryFn: ({ pageParam }) =>
      client.rest.contacts.requests({
        direction,
        limit: requestsPageMax,
        ...(pageParam === '' ? {} : { after: pageParam }),
      }),
    initialPageParam: '',
    getNextPageParam: page => page.next,
    select: ({ pages }) => pages.flatMap(page => page.requests),
    staleTime: 0,
  })
}
