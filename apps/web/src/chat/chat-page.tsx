/** The conversations, the one that is open, and what stands beside it: one pane on a phone, two on a tablet, three beyond. */
import { PlaceContext, useNavigate, useParams } from '../app/navigation.tsx'
import { use, useCallback, useEffect, useMemo, useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { ConversationPane } from './conversation/conversation-pane.tsx'
import type { Panel } from './conversation/panels.ts'
import { useConversation, useConversations } from '@flotilla/react'
import { ConversationList } from './list/conversation-list.tsx'
import { Announcer } from './parts/announcer.tsx'
import { Icon } from '../ui/icon.tsx'
import { DialogPlace, later, PanelPlace, useLoadingLater } from './parts/later.tsx'
import type { Sheet } from './sheet.ts'
import { SignedIn } from './signed-in.tsx'
import { useAnnouncements } from './use-announcements.ts'
import { usePageKeys } from './use-page-keys.ts'

const Sheets = later(async () => (await import('./sheets.tsx')).Sheets, DialogPlace)
const SidePanel = later(async () => (await import('./side-panel.tsx')).SidePanel, PanelPlace)

export function ChatPage() {
  return (
    <SignedIn>
      <Page />
    </SignedIn>
  )
}

/** A message that is to be shown. A new one each time that somebody asks: they may have gone on reading. */
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
  const linked = useLinked()
  const navigate = useNavigate()
  const close = useCallback(() => setSheet(undefined), [])
  usePageKeys(conversation, setSheet)
  useAnnouncements(conversation)
  useLoadingLater()
  const show = (to: string, seq?: number, root?: number) => {
    close()
    const next = { conversation: to, ...(seq !== undefined && { seq }), ...(root !== undefined && { root }) }
    setTarget(next)
    navigate({ to: '/c/$conversation', params: { conversation: to } })
  }
  return (
    <main className="flex h-dvh overflow-hidden">
      <Title conversation={conversation} />
      <div
        className={`w-full shrink-0 border-line min-[600px]:w-[min(24rem,40vw)] min-[600px]:border-e ${conversation === undefined ? '' : 'max-[599px]:hidden'}`}
      >
        <ConversationList
          open={conversation}
          onNew={() => setSheet('new')}
          onRequests={() => setSheet('requests')}
          onNotices={() => setSheet('notices')}
          onStarred={() => setSheet('starred')}
          onScheduled={() => setSheet('scheduled')}
          onThreads={() => setSheet('threads')}
          onReminders={() => setSheet('reminders')}
          onSheet={() => setSheet('keys')}
        />
      </div>
      <div className={`min-w-0 grow ${conversation === undefined ? 'max-[599px]:hidden' : ''}`}>
        {conversation === undefined ? (
          <Nothing />
        ) : (
          <Open key={conversation} id={conversation} {...given(conversation, linked ?? target)} />
        )}
      </div>
      {sheet !== undefined && (
        <Sheets sheet={sheet} onShow={show} onScheduled={() => setSheet('scheduled')} onClose={close} />
      )}
      <Announcer />
    </main>
  )
}

const given = (conversation: string, target: Target | undefined) =>
  target?.conversation === conversation ? { target } : {}

/** The thread or the message that the address names, as that of a notification does: anew each time that it is gone to. */
function useLinked(): Target | undefined {
  const here = use(PlaceContext)
  return useMemo(() => {
    const { conversation } = here.params
    const search = new URLSearchParams(here.search)
    const [root, seq] = [seqOf(search.get('thread')), seqOf(search.get('message'))]
    if (conversation === undefined || (root ?? seq) === undefined) return undefined
    return { conversation, ...(root !== undefined && { root }), ...(seq !== undefined && { seq }) }
  }, [here])
}

function seqOf(text: string | null): number | undefined {
  const seq = Number(text)
  return Number.isSafeInteger(seq) && seq > 0 ? seq : undefined
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

/** In the conversation: the message, or where the thread hangs that alone shows it. */
function placeOf({ seq, root }: Target): { readonly seq: number } | undefined {
  const shown = root ?? seq
  return shown === undefined ? undefined : { seq: shown }
}

const threadOf = ({ root }: Target): Panel | undefined => (root === undefined ? undefined : { kind: 'thread', root })

function Open({ id, target }: { readonly id: string; readonly target?: Target }) {
  const { t } = useTranslation()
  const view = useConversation(id)
  const { isLoaded } = useConversations()
  const [panel, setPanel] = useState(() => target && threadOf(target))
  const close = useCallback(() => setPanel(undefined), [])
  const [shown, setShown] = useState(() => target && placeOf(target))
  const [wanted, setWanted] = useState(target)
  if (wanted !== target) {
    setWanted(target)
    setShown(target && placeOf(target))
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
          <SidePanel view={view} panel={panel} openPanel={setPanel} onShow={seq => setShown({ seq })} onClose={close} />
        </div>
      )}
    </div>
  )
}
