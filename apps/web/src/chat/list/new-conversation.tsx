/** Begins to talk: with one person, or in a group. */
import type { User } from '@flotilla/sdk'
import { useNavigate } from '../../app/navigation.tsx'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Search } from '../parts/search.tsx'
import { Field } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { PeopleList, PeoplePicker, usePeople } from '../parts/people-picker.tsx'

const nameLengthMax = 120

export function NewConversation({ onClose }: { onClose(): void }) {
  const [isGroup, setGroup] = useState(false)
  return isGroup ? <NewGroup onClose={onClose} /> : <NewDirect onClose={onClose} onGroup={() => setGroup(true)} />
}

function NewDirect({ onClose, onGroup }: { onClose(): void; onGroup(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const open = useOpen(onClose)
  const [search, setSearch] = useState('')
  const { people, isLoading } = usePeople(search)
  return (
    <Dialog title={t('late.new.title')} onClose={onClose}>
      <Search label={t('late.new.search')} value={search} autoFocus onChange={setSearch} />
      <button
        type="button"
        onClick={onGroup}
        className="mt-2 flex min-h-12 w-full items-center gap-3 rounded-medium px-2 text-start font-medium hover:bg-hover"
      >
        <span className="grid size-9 place-items-center rounded-full bg-accent-soft text-accent">
          <Icon name="people" />
        </span>
        {t('late.new.group')}
      </button>
      <PeopleList
        people={people}
        isLoading={isLoading}
        search={search}
        onPress={person => void tell(client.rest.createDirect(person.id).then(({ id }) => open(id)))}
      />
    </Dialog>
  )
}

function NewGroup({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const open = useOpen(onClose)
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<readonly User[]>([])
  const [isCreating, setCreating] = useState(false)
  const create = () => {
    setCreating(true)
    const creating = client.rest
      .createGroup(
        name.trim(),
        chosen.map(({ id }) => id),
      )
      .then(({ id }) => open(id))
    void tell(creating).then(() => setCreating(false))
  }
  return (
    <Dialog
      title={t('late.new.group')}
      onClose={onClose}
      foot={
        <Button isDisabled={name.trim() === ''} isPending={isCreating} onPress={create}>
          {t('late.new.create')}
        </Button>
      }
    >
      <div className="grid gap-4">
        <Field label={t('late.group.name')} value={name} maxLength={nameLengthMax} autoFocus onChange={setName} />
        <PeoplePicker chosen={chosen} onChange={setChosen} />
      </div>
    </Dialog>
  )
}

function useOpen(onClose: () => void): (conversation: string) => void {
  const navigate = useNavigate()
  return conversation => {
    onClose()
    navigate({ to: '/c/$conversation', params: { conversation } })
  }
}
