/** What one may post beside text: a poll, a place, a message that is sent later. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useCallback, useMemo, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { toast } from '../../ui/toast.tsx'
import { useChat } from '../hooks.ts'
import { choices } from '../parts/menu.tsx'

/** As the server takes it. */
const accuracyMMax = 100_000

export type Asked =
  | { readonly kind: 'poll' }
  | { readonly kind: 'schedule'; readonly text: string; taken(): void }
  | undefined

/** The same as long as the conversation is, so that the composer is not drawn for what happens in it. */
export function useComposerActions(view: ConversationView, isThread: boolean) {
  const { t } = useTranslation()
  const { state } = useChat()
  const [asked, setAsked] = useState<Asked>()
  const { id } = view
  const actions = useMemo(() => {
    const sendPlace = () =>
      navigator.geolocation.getCurrentPosition(
        ({ coords: { latitude, longitude, accuracy } }) => {
          const fallback = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`
          const accuracyM = Math.min(accuracy, accuracyMMax)
          const body = { type: 'location', latitude, longitude, accuracyM, fallback } as const
          // Whatever becomes of it, its row says so.
          state
            .timeline(id)
            .send({ body })
            .acknowledged.catch(() => {})
        },
        () => toast(t('chat.composer.noPlace')),
      )
    return choices(
      { id: 'poll', icon: 'poll', label: t('chat.poll.new'), act: () => setAsked({ kind: 'poll' }) },
      !isThread &&
        'geolocation' in navigator && {
          id: 'place',
          icon: 'place',
          label: t('chat.composer.place'),
          act: sendPlace,
        },
    )
  }, [state, id, isThread, t])
  const schedule = useCallback((text: string, taken: () => void) => setAsked({ kind: 'schedule', text, taken }), [])
  const close = useCallback(() => setAsked(undefined), [])
  return { actions, asked, schedule, close }
}
