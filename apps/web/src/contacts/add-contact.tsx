/** Finds somebody by name, and asks them to be a contact. */
import type { User } from '@flotilla/sdk'
import { useState } from 'react'
import { useTell } from '../app/use-tell.ts'
import { useChat } from '../chat/hooks.ts'
import { Dialog } from '../ui/dialog.tsx'
import { PeopleList, usePeople } from '../chat/parts/people-picker.tsx'
import { Search } from '../chat/parts/search.tsx'
import { useTranslation } from '../text/translate.ts'
import { toast } from '../ui/toast.tsx'

interface AddProps {
  /** Who is a contact already, or was asked. */
  readonly without: readonly User[]
  onClose(): void
}

export function AddContact({ without, onClose }: AddProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const [search, setSearch] = useState('')
  const { people, isLoading } = usePeople(search)
  const ask = async ({ id, displayName: name }: User) => {
    const asking = client.rest.contacts
      .request({ user: id })
      // Who has asked oneself already is a contact at once.
      .then(({ contact }) => toast(contact === undefined ? t('late.person.asked') : t('late.contacts.added', { name })))
    if (await tell(asking)) onClose()
  }
  return (
    <Dialog title={t('late.contacts.add')} onClose={onClose}>
      <Search label={t('late.new.search')} value={search} autoFocus onChange={setSearch} />
      <PeopleList
        people={people.filter(({ id }) => !without.some(one => one.id === id))}
        isLoading={isLoading}
        search={search}
        onPress={person => void ask(person)}
      />
    </Dialog>
  )
}
