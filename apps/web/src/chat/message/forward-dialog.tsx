/** Where to a message is posted once more: one conversation or several. */
import type { MessageRow } from '@flotilla/sdk/state'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'
import { useConversationContext } from '../conversation/context.ts'
import { useTell } from '../../app/use-tell.ts'
import { useConversations } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { choose } from '../list/filter.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Search } from '../parts/search.tsx'
import { Icon } from '../../ui/icon.tsx'

const shownMax = 50

export function ForwardDialog({ message, onClose }: { readonly message: MessageRow; onClose(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const { id } = useConversationContext()
  const tell = useTell()
  const { items, archived } = useConversations()
  const [search, setSearch] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>([])
  const shown = choose([...items, ...archived], 'all', search).slice(0, shownMax)
  const forward = () => {
    const { seq } = message
    onClose()
    if (seq === undefined) return
    const sends = chosen.map(
      conversation => client.forward({ conversation, source: { conversation: id, seq } }).acknowledged,
    )
    void tell(Promise.all(sends)).then(isDone => isDone && toast(t('late.forward.done', { count: chosen.length })))
  }
  return (
    <Dialog
      title={t('late.forward.title')}
      onClose={onClose}
      foot={
        <Button isDisabled={chosen.length === 0} onPress={forward}>
          {t('chat.message.forward')}
        </Button>
      }
    >
      <Search label={t('chat.list.search')} value={search} autoFocus onChange={setSearch} />
      <ul className="mt-2 grid h-72 content-start overflow-y-auto">
        {shown.map(item => (
          <li key={item.id}>
            <button
              type="button"
              aria-pressed={chosen.includes(item.id)}
              onClick={() =>
                setChosen(chosen.includes(item.id) ? chosen.filter(one => one !== item.id) : [...chosen, item.id])
              }
              className="flex min-h-12 w-full items-center gap-3 rounded-medium px-2 text-start hover:bg-hover"
            >
              <Avatar id={item.other?.id ?? item.id} name={item.name} picture={item.avatar ?? null} size={36} />
              <span className="grow truncate">
                <bdi>{item.name}</bdi>
              </span>
              {chosen.includes(item.id) && <Icon name="check" className="text-accent" />}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}
