/** How many of these people are online. */
import { useFlotilla } from '@flotilla/react'
import type { ConversationView } from '@flotilla/sdk/state'
import { useMemo, useSyncExternalStore } from 'react'

export function useOnline(members: ConversationView['members'] = []): number {
  const { state } = useFlotilla()
  const ids = members.map(({ user }) => user.id).join(' ')
  const { get, subscribe } = useMemo(() => {
    const presences = ids.split(' ').map(id => state.presence(id))
    return {
      get: () => presences.filter(presence => presence.get()).length,
      subscribe(changed: () => void) {
        const ends = presences.map(presence => presence.subscribe(changed))
        return () => ends.forEach(end => end())
      },
    }
  }, [state, ids])
  return useSyncExternalStore(subscribe, get)
}
