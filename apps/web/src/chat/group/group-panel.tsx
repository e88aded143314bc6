/** A group: what it is called, who is in it, the ways into it, and what it is set to. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useNavigate } from '../../app/navigation.tsx'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { isManager, may } from '../access.ts'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { FileButton } from '../../ui/file-button.tsx'
import { pictureTypes } from '../../ui/crop.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { DialogPlace, later } from '../parts/later.tsx'
import { Panel, Section } from '../parts/panel.tsx'
import { Bans } from './bans.tsx'
import { InviteLinks } from './invite-links.tsx'
import { JoinRequests } from './join-requests.tsx'
import { Members } from './members.tsx'
import { GroupRules } from './rules.tsx'

const CropDialog = later(async () => (await import('../../ui/crop-dialog.tsx')).CropDialog, DialogPlace)

interface GroupProps {
  readonly view: ConversationView
  openPerson(user: string): void
  onClose(): void
}

/** As the server takes them. */
const limits = { nameLengthMax: 120, descriptionLengthMax: 1_000 }

export function GroupPanel({ view, openPerson, onClose }: GroupProps) {
  const { t } = useTranslation()
  const mayAdd = may(view, 'addMembers')
  return (
    <Panel title={t('late.group.title')} onClose={onClose}>
      <About view={view} />
      {mayAdd && <JoinRequests conversation={view.id} />}
      <Members view={view} openPerson={openPerson} />
      {mayAdd && <InviteLinks conversation={view.id} />}
      <GroupRules view={view} />
      {isManager(view) && <Bans conversation={view.id} />}
      <Leave view={view} />
    </Panel>
  )
}

function About({ view }: { readonly view: ConversationView }) {
  const { t } = useTranslation()
  const [isEditing, setEditing] = useState(false)
  const description = view.group?.description ?? ''
  if (isEditing) return <EditAbout view={view} onDone={() => setEditing(false)} />
  return (
    <div className="grid justify-items-center gap-1 border-b border-line px-4 py-6 text-center">
      <Picture view={view} />
      <div className="mt-2 flex items-center gap-1">
        <bdi className="text-title font-semibold">{view.name}</bdi>
        {may(view, 'edit') && (
          <IconButton size="small" icon="edit" label={t('late.group.edit')} onPress={() => setEditing(true)} />
        )}
      </div>
      <span className="text-small text-soft">{t('chat.conversation.members', { count: view.memberCount })}</span>
      {description !== '' && (
        <p dir="auto" className="mt-2 text-start whitespace-pre-wrap">
          {description}
        </p>
      )}
    </div>
  )
}

/** Who may change it chooses another by the buttons below it. */
function Picture({ view }: { readonly view: ConversationView }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const [chosen, setChosen] = useState<File>()
  return (
    <>
      <Avatar id={view.id} name={view.name} picture={view.avatar ?? null} size={96} />
      {may(view, 'edit') && (
        <div className="flex flex-wrap justify-center gap-1">
          <FileButton look="quiet" types={pictureTypes} onChoose={setChosen}>
            {t('late.group.choosePicture')}
          </FileButton>
          {view.avatar !== undefined && (
            <Button look="quiet" onPress={() => void tell(client.rest.groups.removeAvatar(view.id))}>
              {t('late.group.removePicture')}
            </Button>
          )}
        </div>
      )}
      {chosen !== undefined && (
        <CropDialog
          title={t('late.group.picture')}
          file={chosen}
          save={picture => tell(client.rest.groups.setAvatar(view.id, picture))}
          onClose={() => setChosen(undefined)}
        />
      )}
    </>
  )
}

function EditAbout({ view, onDone }: { readonly view: ConversationView; onDone(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const [name, setName] = useState(view.name)
  const [description, setDescription] = useState(view.group?.description ?? '')
  const save = async () => {
    if (name.trim() !== view.name && !(await tell(client.rest.rename(view.id, name.trim())))) return
    if (
      description !== (view.group?.description ?? '') &&
      !(await tell(client.rest.groups.change(view.id, { description })))
    )
      return
    onDone()
  }
  return (
    <Section>
      <form
        className="grid gap-3"
        onSubmit={event => {
          event.preventDefault()
          void save()
        }}
      >
        <Field
          label={t('late.group.name')}
          value={name}
          maxLength={limits.nameLengthMax}
          autoFocus
          onChange={setName}
        />
        <Field
          label={t('late.group.description')}
          value={description}
          maxLength={limits.descriptionLengthMax}
          lines={3}
          onChange={setDescription}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onPress={onDone}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" isDisabled={name.trim() === ''}>
            {t('chat.composer.save')}
          </Button>
        </div>
      </form>
    </Section>
  )
}

function Leave({ view }: { readonly view: ConversationView }) {
  const { t } = useTranslation()
  const { client, user } = useChat()
  const tell = useTell()
  const navigate = useNavigate()
  const [isAsking, setAsking] = useState(false)
  return (
    <Section>
      <Button look="quiet" wide onPress={() => setAsking(true)}>
        {t('late.group.leave')}
      </Button>
      {isAsking && (
        <Confirm
          title={t('late.group.leaveTitle', { name: view.name })}
          text={t('late.group.leaveText')}
          action={t('late.group.leave')}
          onClose={() => setAsking(false)}
          onConfirm={() =>
            void tell(client.rest.removeMember(view.id, user.id)).then(isDone => isDone && navigate({ to: '/' }))
          }
        />
      )}
    </Section>
  )
}
