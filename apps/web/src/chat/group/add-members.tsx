/** Brings people into a group; who wants to be asked first is asked. */
import type { User } from '@flotilla/sdk'
import type { ConversationView } from '@flotilla/sdk/state'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { PeoplePicker } from '../parts/people-picker.tsx'

export function AddMembers({ view, onClose }: { readonly view: ConversationView; onClose(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const [chosen, setChosen] = useState<readonly User[]>([])
  const add = () => {
    const adding = client.rest
      .addMembers(
        view.id,
        chosen.map(({ id }) => id),
      )
      .then(({ asked }) => {
        if (asked.length > 0) toast(t('late.group.asked', { count: asked.length }))
      })
    void tell(adding).then(isDone => isDone && onClose())
  }
  return (
    <Dialog
      title={t('late.group.add')}
      onClose={onClose}
      foot={
        <Button isDisabled={chosen.length === 0} onPress={add}>
          {t('late.group.addChosen', { count: chosen.length })}
        </Button>
      }
    >
      <PeoplePicker chosen={chosen} without={view.members?.map(({ user }) => user.id) ?? []} onChange={setChosen} />
    </Dialog>
  )
}
