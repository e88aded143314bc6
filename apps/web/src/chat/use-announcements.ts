/** Tells screen readers of messages in the open conversation, and of what becomes of one's own. */
import { useEffect } from 'react'
import { useTranslation } from '../text/translate.ts'
import { useChat } from './hooks.ts'
import { previewOf } from './message/quoted.tsx'
import { announce } from './parts/announcer.tsx'

export function useAnnouncements(open: string | undefined): void {
  const { t } = useTranslation()
  const { client, state, user } = useChat()
  useEffect(() => {
    const ends = [
      client.on('message', message => {
        if (message.conversation !== open || message.by === user.id || message.replayed) return
        const name = state.user(message.by).get()?.displayName ?? ''
        announce(t('chat.announce.message', { name, text: previewOf(message.body) }))
      }),
      client.on('sendState', ({ state }) => {
        if (state.name === 'failed') announce(t('chat.message.failed'))
      }),
    ]
    return () => {
      for (const end of ends) end()
    }
  }, [client, state, user.id, open, t])
}
