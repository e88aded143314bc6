/** The conversations, the one that is open, and what stands beside it: one pane on a phone, two on a tablet, three beyond. */
import { useNavigate, useParams } from '../app/navigation.tsx'
import { useCallback, useEffect, useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { requireAccount } from '../session.ts'
import { ConversationPane } from './conversation/conversation-pane.tsx'
import type { Panel } from './conversation/panels.ts'
import { FlotillaProvider, useConversation, useConversations } from '@flotilla/react'
import { SelfContext } from './hooks.ts'
import { ConversationList } from './list/conversation-list.tsx'
import { Announcer } from './parts/announcer.tsx'
import { Icon } from './parts/icon.tsx'
import { DialogPlace, later, PanelPlace, useLoadingLater } from './parts/later.tsx'
import type { Sheet } from './sheet.ts'
import { useAnnouncements } from './use-announcements.ts'
import { usePageKeys } from './use-page-keys.ts'

const Finder = later(async () => (await import('./list/finder.tsx')).Finder, DialogPlace)
const KeysSheet = later(async () => (await import('./keys-sheet.tsx')).KeysSheet, DialogPlace)
const NewConversation = later(async () => (await import('./list/new-conversation.tsx')).NewConversation, DialogPlace)
const NoticesDialog = later(async () => (await import('./notices/notices-dialog.tsx')).NoticesDialog, DialogPlace)
const RequestsDialog = later(async () => (await import('./list/requests-dialog.tsx')).RequestsDialog, DialogPlace)
const ScheduledDialog = later(async () => (await import('./list/scheduled-dialog.tsx')).ScheduledDialog, DialogPlace)
const StarredDialog = later(async () => (await import('./list/starred-dialog.tsx')).StarredDialog, DialogPlace)
const GroupPanel = later(async () => (await import('./group/group-panel.tsx')).GroupPanel, PanelPlace)
const PersonPanel = later(async () => (await import('./group/person-panel.tsx')).PersonPanel, PanelPlace)
const PinsPanel = later(async () => (await import('./conversation/pins-panel.tsx')).PinsPanel, PanelPlace)
const ThreadPanel = later(async () => (await import('./thread/thread-panel.tsx')).ThreadPanel, PanelPlace)

export function ChatPage() {
  const { client, state, user } = requireAccount()
  return (
    <FlotillaProvider client={client} state={state}>
      <SelfContext value={user}>
        <Page />
      </SelfContext>
    </FlotillaProvider>
  )
}

/** A message that is to be shown. */
interface Target {
  readonly conversation: string
  readonly seq?: number
  /** Of the thread that alone shows it. */
  readonly root?: number
}

function Page() {
  const { conversation } = useParams()
  const [sheet, setSheet] = useState<Sheet>()
  const [target, setTarget] = useState<Target>()
  const navigate = useNavigate()
  const close = useCallback(() => setSheet(undefined), [])
  usePageKeys(conversation, setSheet)
  useAnnouncements(conversation)
  useLoadingLater()
  const show = (to: string, seq?: number, root?: number) => {
    close()
    const next = { conversation: to, ...(seq !== undefined && { seq }), ...(root !== undefined && { root }) }
    // In the open one also the same message once more: somebody may have gone on reading.
    setTarget(to === conversation ? undefined : next)
    if (to === conversation) requestAnimationFrame(() => setTarget(next))
    navigate({ to: '/c/$conversation', params: { conversation: to } })
  }
  return (
    <main className="flex h-dvh overflow-hidden">
      <Title conversation={conversation} />
      <div
        className={`w-full shrink-0 border-line min-[600px]:w-[min(22rem,40vw)] min-[600px]:border-e ${conversation === undefined ? '' : 'max-[599px]:hidden'}`}
      >
        <ConversationList
          open={conversation}
          onNew={() => setSheet('new')}
          onRequests={() => setSheet('requests')}
          onNotices={() => setSheet('notices')}
          onStarred={() => setSheet('starred')}
          onScheduled={() => setSheet('scheduled')}
          onSheet={() => setSheet('keys')}
        />
      </div>
      <div className={`min-w-0 grow ${conversation === undefined ? 'max-[599px]:hidden' : ''}`}>
        {conversation === undefined ? (
          <Nothing />
        ) : (
          <Open key={conversation} id={conversation} {...(target?.conversation === conversation ? { target } : {})} />
        )}
      </div>
      {sheet === 'new' && <NewConversation onClose={close} />}
      {sheet === 'requests' && <RequestsDialog onClose={close} />}
      {sheet === 'find' && <Finder onClose={close} />}
      {sheet === 'starred' && <StarredDialog onShow={show} onClose={close} />}
      {sheet === 'scheduled' && <ScheduledDialog onClose={close} />}
      {sheet === 'notices' && <NoticesDialog onShow={show} onScheduled={() => setSheet('scheduled')} onClose={close} />}
      {sheet === 'keys' && <KeysSheet onClose={close} />}
      <Announcer />
    </main>
  )
}

/** What the page is, for those who hear it, whichever panes are shown. */
function Title({ conversation }: { readonly conversation: string | undefined }) {
  const { t } = useTranslation()
  return (
    <h1 className="sr-only">
      {conversation === undefined ? t('chat.list.title') : <NameOf conversation={conversation} />}
    </h1>
  )
}

function NameOf({ conversation }: { readonly conversation: string }) {
  const { t } = useTranslation()
  return useConversation(conversation)?.name ?? t('chat.list.title')
}

function Nothing() {
  const { t } = useTranslation()
  return (
    <div className="grid size-full place-content-center justify-items-center gap-3 bg-sunk p-6 text-center text-soft">
      <Icon name="thread" size={40} />
      <p>{t('chat.empty.title')}</p>
    </div>
  )
}

const threadOf = ({ root }: Target): Panel | undefined => (root === undefined ? undefined : { kind: 'thread', root })

function Open({ id, target }: { readonly id: string; readonly target?: Target }) {
  const { t } = useTranslation()
  const view = useConversation(id)
  const { isLoaded } = useConversations()
  const [panel, setPanel] = useState(() => target && threadOf(target))
  const close = useCallback(() => setPanel(undefined), [])
  const seq = target?.root ?? target?.seq
  const [shown, setShown] = useState(seq)
  const [wanted, setWanted] = useState(target)
  if (wanted !== target) {
    setWanted(target)
    setShown(seq)
    if (target?.root !== undefined) setPanel(threadOf(target))
  }
  useEffect(() => {
    if (panel === undefined) return undefined
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return
      close()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [panel, close])
  if (view === undefined)
    return (
      <div className="grid size-full place-content-center p-6 text-center text-soft">
        <p className="late">{t(isLoaded ? 'chat.conversation.unknown' : 'chat.loading')}</p>
      </div>
    )
  return (
    <div className="relative flex size-full">
      <div className="min-w-0 grow">
        <ConversationPane view={view} openPanel={setPanel} {...(shown === undefined ? {} : { target: shown })} />
      </div>
      {panel !== undefined && (
        <div className="w-full shrink-0 border-line max-[1199px]:absolute max-[1199px]:inset-y-0 max-[1199px]:end-0 max-[1199px]:z-20 max-[1199px]:shadow-float min-[600px]:w-88 min-[600px]:border-s">
          {panel.kind === 'thread' && (
            <ThreadPanel key={panel.root} view={view} root={panel.root} openPanel={setPanel} onClose={close} />
          )}
          {panel.kind === 'person' && <PersonPanel view={view} user={panel.user} onClose={close} />}
          {panel.kind === 'info' && (
            <GroupPanel view={view} openPerson={user => setPanel({ kind: 'person', user })} onClose={close} />
          )}
          {panel.kind === 'pins' && (
            <PinsPanel
              view={view}
              onShow={seq => {
                setShown(undefined)
                requestAnimationFrame(() => setShown(seq))
              }}
              onClose={close}
            />
          )}
        </div>
      )}
    </div>
  )
}
