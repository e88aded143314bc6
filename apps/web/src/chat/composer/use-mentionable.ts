/**
 * Whom one may mention. Of a large group the members are not told: there the server is asked for those whom the word at the caret
 * may mean, and who was found stays known, so that a text that names them mentions them.
 */
import type { User } from '@flotilla/sdk'
import { useEffect, useMemo, useState } from 'react'
import { useChat } from '../hooks.ts'
import type { Query } from './complete.ts'

/** A search is asked for once the typing rests. */
const restMs = 250
/** As the server takes it. */
const searchLengthMin = 2

/** @param isAsked whether the members are not told */
export function useMentionable(members: readonly User[], isAsked: boolean, query: Query | undefined): readonly User[] {
  const { client, user } = useChat()
  const [found, setFound] = useState<readonly User[]>([])
  const text = isAsked && query?.trigger === '@' && query.text.length >= searchLengthMin ? query.text : undefined
  useEffect(() => {
    if (text === undefined) return undefined
    const keep = ({ users }: { readonly users: readonly User[] }) =>
      setFound(before => [...before, ...users.filter(one => !before.some(({ id }) => id === one.id))])
    const ask = async () => {
      const { answers } = await import('../../app/answers.tsx')
      return answers.fetchQuery({ queryKey: ['people', text], queryFn: () => client.rest.people.search(text) })
    }
    // Without an answer nothing is completed.
    const timer = setTimeout(() => ask().then(keep, () => {}), restMs)
    return () => clearTimeout(timer)
  }, [client, text])
  return useMemo(() => [...members, ...found.filter(({ id }) => id !== user.id)], [members, found, user.id])
}
