/** Sends what is written: a message, an answer, or the change of one. */
import { bodyAs, type User } from '@flotilla/sdk'
import type { Timeline } from '@flotilla/sdk/state'
import type { Value } from '../../app/value.ts'
import { useTranslation } from '../../text/translate.ts'
import { toast } from '../../ui/toast.tsx'
import type { Mode } from '../conversation/mode.ts'
import { useTell, useWords } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { mentionsIn } from './complete.ts'

/** As the server takes them. */
const mentionsMax = 20

interface Sending {
  readonly conversation: string
  readonly timeline: Timeline
  readonly mode: Value<Mode>
  readonly people: readonly User[]
  readonly mayMentionAll: boolean
}

/** @returns what sends a text, and returns whether it was taken: what is wrong is told, and what is written stays */
export function useSend({ conversation, timeline, mode, people, mayMentionAll }: Sending): (text: string) => boolean {
  const { t } = useTranslation()
  const { client } = useChat()
  const words = useWords()
  const tell = useTell()
  return text => {
    const about = mode.get()
    const { mentions, all } = mentionsIn(text, people, mentionsMax)
    const body = {
      text,
      ...(mentions.length === 0 ? {} : { mentions: [...mentions] }),
      ...(all && mayMentionAll ? { mentionsAll: true as const } : {}),
    }
    try {
      if (about.kind === 'edit') {
        const { seq } = about.message
        if (text === '' || seq === undefined) {
          toast(t('chat.composer.emptyEdit'))
          return false
        }
        if (text !== bodyAs('text', about.message.body)?.text)
          void tell(client.edit({ conversation, target: seq, body }).acknowledged)
        return true
      }
      const replyTo = about.kind === 'reply' ? about.message.seq : undefined
      // Whatever becomes of it, its row says so.
      timeline.send({ body, ...(replyTo === undefined ? {} : { replyTo }) }).acknowledged.catch(() => {})
      return true
    } catch (thrown) {
      toast(words(thrown))
      return false
    }
  }
}
