/** One conversation, open: its head, what is pinned, its messages, and where one writes. */
import type { User } from '@flotilla/sdk'
import type { ConversationView, MessageRow, Timeline } from '@flotilla/sdk/state'
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { useTranslation } from '../../text/translate.ts'
import { may } from '../access.ts'
import { Composer, type ComposerHandle } from '../composer/composer.tsx'
import { useWait } from '../composer/use-wait.ts'
import { useTell, useWords } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { DialogPlace, later, NoPlace } from '../parts/later.tsx'
import { ConversationContext, type ConversationContextValue } from './context.ts'
import { ConversationHead } from './head.tsx'
import type { Dialogs } from './dialogs.ts'
import { pressOn } from './message-keys.ts'
import { createMode, type Mode } from './mode.ts'
import type { Value } from '../../app/value.ts'
import type { Panel } from './panels.ts'
import { type PaneHandle, TimelinePane } from './timeline-pane.tsx'
import { TypingLine } from './typing-line.tsx'
import { Barred, useBarrier } from './barrier.tsx'
import { useComposerActions } from './use-composer-actions.ts'

const ComposerDialogs = later(async () => (await import('./composer-dialogs.tsx')).ComposerDialogs, DialogPlace)
const MessageDialogs = later(async () => (await import('./message-dialogs.tsx')).MessageDialogs, NoPlace)
const PinnedBar = later(async () => (await import('./pinned-bar.tsx')).PinnedBar, NoPlace)

interface PaneProps {
  readonly view: ConversationView
  /** The message that is to be shown: another object each time. */
  readonly target?: { readonly seq: number }
  openPanel(panel: Panel): void
}

export function ConversationPane({ view, target, openPanel }: PaneProps) {
  const { t } = useTranslation()
  const { state } = useChat()
  const timeline = useMemo(() => state.timeline(view.id), [state, view.id])
  const draft = useMemo(() => state.draft(view.id), [state, view.id])
  const [lineSeq] = useState(view.unread > 0 ? view.readSeq : undefined)
  const markRead = useCallback((seq: number) => state.markRead(view.id, seq), [state, view.id])
  const pane = useRef<PaneHandle>(null)
  useEffect(() => {
    if (target !== undefined) pane.current?.jump(target.seq)
  }, [target])
  return (
    <section
      aria-label={view.name}
      data-region
      data-conversation-pane={view.id}
      className="flex size-full min-w-0 flex-col"
    >
      <ConversationHead view={view} openPanel={openPanel} />
      <PinnedBar view={view} onShow={seq => pane.current?.jump(seq)} onAll={() => openPanel({ kind: 'pins' })} />
      <Talk
        view={view}
        timeline={timeline}
        draft={draft}
        lineSeq={lineSeq}
        pane={pane}
        openPanel={openPanel}
        markRead={markRead}
        label={t('chat.composer.label', { name: view.name })}
        empty={<Beginning view={view} />}
      />
    </section>
  )
}

interface TalkProps {
  readonly view: ConversationView
  readonly timeline: Timeline
  readonly draft: ReturnType<ReturnType<typeof useChat>['state']['draft']> | undefined
  readonly lineSeq: number | undefined
  readonly pane: RefObject<PaneHandle | null>
  readonly label: string
  readonly empty: ReactNode
  openPanel(panel: Panel): void
  markRead(seq: number): void
}

const nobody: readonly User[] = []

/** Messages and the composer below them: of a conversation, or of a thread. */
export function Talk({ view, timeline, draft, lineSeq, pane, label, empty, openPanel, markRead }: TalkProps) {
  const { t } = useTranslation()
  const { user } = useChat()
  const [mode] = useState(createMode)
  const [dialog, setDialog] = useState<Dialogs>()
  const composer = useRef<ComposerHandle>(null)
  const isThread = timeline.root !== undefined
  const context = useContextValue({ view, timeline, isThread, pane, mode, openPanel, setDialog })
  const people = useMemo(
    () => view.members?.map(member => member.user).filter(one => one.id !== user.id) ?? nobody,
    [view.members, user.id],
  )
  const { edit, editLast } = useEditing(timeline, mode)
  const onSent = useCallback(() => pane.current?.toLatest(), [pane])
  const { actions, asked, schedule, close } = useComposerActions(view, isThread)
  const barrier = useBarrier(view)
  const waitUntil = useWait(view, timeline)
  const onRowKey = (event: KeyboardEvent, message: MessageRow) =>
    pressOn(event, message, context, { edit, remove: message => setDialog({ kind: 'delete', message }) })

  return (
    <ConversationContext value={context}>
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- it hears the keys of the messages in it */}
      <div
        className="min-h-0 grow"
        onKeyDown={event => {
          if (event.key === 'Escape' && (event.target as Element).closest('[data-timeline]') !== null) {
            event.stopPropagation()
            composer.current?.focus()
          }
        }}
      >
        <TimelinePane
          ref={pane}
          timeline={timeline}
          label={t('chat.timeline.label', { name: view.name })}
          lineSeq={lineSeq}
          empty={empty}
          markRead={markRead}
          onRowKey={onRowKey}
        />
      </div>
      <TypingLine view={view} isShown={!isThread} />
      {barrier === undefined ? (
        <Composer
          ref={composer}
          conversation={view.id}
          timeline={timeline}
          draft={draft}
          mode={mode}
          people={people}
          areMany={view.members === undefined}
          mayMentionAll={view.kind === 'group' && may(view, 'mentionEveryone')}
          label={label}
          actions={actions}
          waitUntil={waitUntil}
          editLast={editLast}
          onSent={onSent}
          {...(isThread ? {} : { onSchedule: schedule })}
        />
      ) : (
        <Barred barrier={barrier} view={view} />
      )}
      {dialog !== undefined && <MessageDialogs dialog={dialog} onChange={setDialog} onEdit={edit} />}
      {asked !== undefined && (
        <ComposerDialogs asked={asked} view={view} timeline={timeline} onClose={close} onSent={onSent} />
      )}
    </ConversationContext>
  )
}

interface Given {
  readonly view: ConversationView
  readonly timeline: Timeline
  readonly isThread: boolean
  readonly pane: RefObject<PaneHandle | null>
  readonly mode: ReturnType<typeof createMode>
  openPanel(panel: Panel): void
  setDialog(dialog: Dialogs): void
}

/** The same as long as the conversation itself is: what comes and goes in it changes no row. */
function useContextValue({
  view,
  timeline,
  isThread,
  pane,
  mode,
  openPanel,
  setDialog,
}: Given): ConversationContextValue {
  const { client } = useChat()
  const words = useWords()
  const tell = useTell()
  const { id, kind } = view
  const steady = useSteady(view)
  return useMemo(
    () => ({
      id,
      kind,
      view: steady,
      timeline,
      isThread,
      words,
      jump: seq => pane.current?.jump(seq),
      openThread: root => openPanel({ kind: 'thread', root }),
      openPerson: user => openPanel({ kind: 'person', user }),
      openMenu: (message, at) => setDialog({ kind: 'menu', message, at }),
      openReactions: (message, at) => setDialog({ kind: 'reactions', message, at }),
      openDetails: message => setDialog({ kind: 'details', message }),
      reply: message => mode.set({ kind: 'reply', message }),
      react(message, emoji) {
        if (message.seq === undefined) return
        const isOn = !message.reactions.some(one => one.own && one.emoji === emoji)
        void tell(client.react(id, message.seq, emoji, isOn).acknowledged)
      },
    }),
    [id, kind, steady, timeline, isThread, words, pane, openPanel, setDialog, mode, tell, client],
  )
}

/** The same object as long as nothing in it has changed that decides on rows. */
function useSteady(view: ConversationView): ConversationView {
  const [steady, setSteady] = useState(view)
  const isSame =
    steady.role === view.role &&
    steady.kind === view.kind &&
    steady.group === view.group &&
    steady.members === view.members
  if (isSame) return steady
  setSteady(view)
  return view
}

function Beginning({ view }: { readonly view: ConversationView }) {
  const { t } = useTranslation()
  return (
    <div className="grid justify-items-center gap-2 text-soft">
      <p className="text-title font-medium text-ink">{view.name}</p>
      <p className="max-w-sm text-balance">{t(view.pending ? 'chat.timeline.emptyPending' : 'chat.timeline.empty')}</p>
    </div>
  )
}

/** How one's messages are changed: one of them, or the last. */
function useEditing(timeline: Timeline, mode: Value<Mode>) {
  const edit = useCallback((message: MessageRow) => mode.set({ kind: 'edit', message }), [mode])
  const editLast = useCallback(() => {
    const last = timeline
      .get()
      .rows.findLast(row => row.kind === 'message' && row.own && row.state === 'sent' && row.removed === undefined)
    if (last?.kind !== 'message' || (last.body.type ?? 'text') !== 'text' || last.forwarded !== undefined) return false
    edit(last)
    return true
  }, [timeline, edit])
  return { edit, editLast }
}
