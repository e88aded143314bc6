/** The messages of a conversation or a thread, as they are read: where it opens, what is new, what is marked as read. */
import type { MessageRow, Timeline as TimelineState } from '@flotilla/sdk/state'
import {
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { badgeOf } from '../format.ts'
import { useReadable } from '../hooks.ts'
import { TimelineRow } from '../message/message-row.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Arrangement, type Placed } from '../timeline/arrange.ts'
import { type Place, Timeline, type TimelineHandle } from '../timeline/timeline.tsx'
import { useReading } from '../timeline/use-reading.ts'

export interface PaneHandle {
  jump(seq: number): void
  toLatest(): void
  focus(): void
}

interface PaneProps {
  readonly timeline: TimelineState
  readonly label: string
  /** How far was read when it was opened, if something was unread: the line stands behind that. */
  readonly lineSeq: number | undefined
  readonly empty: ReactNode
  readonly ref?: Ref<PaneHandle>
  markRead(seq: number): void
  onRowKey(event: KeyboardEvent, message: MessageRow): boolean
}

/** Where each conversation was left, for as long as the page is open. */
const places = new Map<string, Place>()
const placesMax = 200

function keepPlace(name: string, place: Place): void {
  places.delete(name)
  places.set(name, place)
  if (places.size > placesMax) places.delete(places.keys().next().value!)
}

export function TimelinePane({ timeline, label, lineSeq, empty, ref, markRead, onRowKey }: PaneProps) {
  const { t } = useTranslation()
  const view = useReadable(timeline)
  const name = `${timeline.conversation}/${timeline.root ?? ''}`
  const [arrangement] = useState(() => new Arrangement())
  const rows = useMemo(
    () => arrangement.place(view.rows, lineSeq, view.hasOlder),
    [arrangement, view.rows, view.hasOlder, lineSeq],
  )
  const list = useRef<TimelineHandle>(null)
  const isAtBottom = useRef(true)
  const { count: freshCount, clear: clearFresh } = useFresh(rows, isAtBottom)
  const [isAway, setAway] = useState(false)
  const seen = useReading(markRead)
  const jump = useJump(timeline, list, rows)
  const isOpening = useFirstUnread(timeline, lineSeq, places.get(name) === undefined)

  const toLatest = useCallback(() => {
    clearFresh()
    if (!timeline.get().hasNewer) return list.current?.toBottom()
    void timeline.latest().then(() => requestAnimationFrame(() => list.current?.toBottom()))
    return undefined
  }, [timeline, clearFresh])
  useImperativeHandle(ref, () => ({ jump, toLatest, focus: () => list.current?.focus() }), [jump, toLatest])

  const onPlace = useCallback(
    (place: Place, last: Placed | undefined) => {
      keepPlace(name, place)
      isAtBottom.current = place === 'bottom'
      setAway(place !== 'bottom')
      if (place === 'bottom') clearFresh()
      if (last !== undefined) seen(seqOf(last))
    },
    [name, seen, clearFresh],
  )
  const draw = useCallback(
    (placed: Placed, isActive: boolean) => (
      <Centered>
        <TimelineRow placed={placed} isActive={isActive} />
      </Centered>
    ),
    [],
  )

  if (isOpening || (view.loading === 'first' && rows.length === 0)) return <Loading />
  if (view.error !== undefined && rows.length === 0) return <Failed onRetry={() => void timeline.latest()} />
  if (rows.length === 0) return <div className="grid size-full place-content-center p-6 text-center">{empty}</div>
  return (
    <div className="relative size-full">
      <Timeline
        ref={list}
        rows={rows}
        hasOlder={view.hasOlder}
        hasNewer={view.hasNewer}
        start={startOf(name, rows)}
        label={label}
        onOlder={() => view.loading === 'none' && view.error === undefined && void timeline.older()}
        onNewer={() => view.loading === 'none' && view.error === undefined && void timeline.newer()}
        onPlace={onPlace}
        onRowKey={(event, { row }) => row.kind === 'message' && onRowKey(event, row)}
        draw={draw}
      />
      <Progress
        isOlder={view.loading === 'older'}
        isFailed={view.error !== undefined}
        onRetry={() => void timeline.older()}
      />
      <Discontinuity count={view.discontinuity} />
      {(isAway || view.hasNewer) && (
        <ToLatest count={freshCount} label={t('chat.timeline.latest')} onPress={toLatest} />
      )}
    </div>
  )
}

const seqOf = ({ row }: Placed) => row.seq

/** A line of text is not longer than the eye follows. */
const Centered = ({ children }: { readonly children: ReactNode }) => (
  <div className="mx-auto w-full max-w-4xl px-3 sm:px-4">{children}</div>
)

/** Where it was left; else a little above the unread line; else the bottom. */
function startOf(name: string, rows: readonly Placed[]): Place {
  const unread = rows.find(({ startsUnread }) => startsUnread)
  const left = places.get(name)
  if (left !== undefined && (left !== 'bottom' || unread === undefined)) return left
  return unread === undefined ? 'bottom' : { key: unread.key, offset: lineOffsetPx }
}
const lineOffsetPx = 96

/**
 * Begins with the first unread message, where that is further back than what is held.
 * @returns whether that is being read
 */
function useFirstUnread(timeline: TimelineState, lineSeq: number | undefined, isFirst: boolean): boolean {
  const [isReading, setReading] = useState(isFirst && lineSeq !== undefined)
  useEffect(() => {
    if (!isReading || lineSeq === undefined) return undefined
    let isAsked = false
    const look = () => {
      const { rows, hasOlder, loading } = timeline.get()
      if (isAsked || loading === 'first') return
      isAsked = true
      const oldest = rows.find(row => row.seq !== undefined)?.seq ?? 0
      if (!hasOlder || oldest <= lineSeq + 1) return setReading(false)
      void timeline
        .jump(lineSeq + 1)
        .catch(() => {})
        .then(() => setReading(false))
    }
    look()
    return timeline.subscribe(look)
  }, [timeline, lineSeq, isReading])
  return isReading
}

/** Messages of others that came while one was elsewhere in the list. */
function useFresh(rows: readonly Placed[], isAtBottom: { readonly current: boolean }) {
  const [count, setCount] = useState(0)
  const known = useRef<number>(undefined)
  useEffect(() => {
    const seqs = rows.flatMap(({ row }) =>
      row.kind === 'message' && !row.own && row.seq !== undefined ? [row.seq] : [],
    )
    const { current: from } = known
    known.current = Math.max(from ?? 0, ...seqs.slice(-1))
    if (from === undefined || isAtBottom.current) return
    const came = seqs.filter(seq => seq > from).length
    if (came > 0) setCount(before => before + came)
  }, [rows, isAtBottom])
  const clear = useCallback(() => setCount(0), [])
  return { count, clear }
}

/** Reads the window around a message where it is not held, and shows it once its row is drawn. */
function useJump(timeline: TimelineState, list: { readonly current: TimelineHandle | null }, rows: readonly Placed[]) {
  const [wanted, setWanted] = useState<{ readonly seq: number }>()
  const shown = useRef(wanted)
  useEffect(() => {
    if (wanted === undefined || wanted === shown.current) return
    const row = rows.find(one => one.row.seq === wanted.seq)
    if (row !== undefined && list.current?.toKey(row.key) === true) shown.current = wanted
  }, [wanted, rows, list])
  return useCallback(
    (seq: number) => {
      setWanted({ seq })
      if (timeline.get().rows.some(row => row.seq === seq)) return
      timeline.jump(seq).catch(() => setWanted(undefined))
    },
    [timeline],
  )
}

function ToLatest({ count, label, onPress }: { readonly count: number; readonly label: string; onPress(): void }) {
  const { t, i18n } = useTranslation()
  return (
    <button
      type="button"
      aria-label={count > 0 ? `${label}, ${t('chat.timeline.new', { count })}` : label}
      data-latest
      onClick={onPress}
      className="absolute end-4 bottom-3 flex h-10 min-w-10 items-center justify-center gap-1.5 rounded-full border border-line bg-raised px-2.5 text-small font-medium text-ink shadow-float hover:bg-hover"
    >
      {count > 0 && (
        <span className="text-accent">{t('chat.timeline.new', { count, shown: badgeOf(count, i18n.language) })}</span>
      )}
      <Icon name="down" size={18} />
    </button>
  )
}

/** Over the rows, so that it moves none. */
function Progress({
  isOlder,
  isFailed,
  onRetry,
}: {
  readonly isOlder: boolean
  readonly isFailed: boolean
  onRetry(): void
}) {
  const { t } = useTranslation()
  if (isFailed)
    return (
      <div role="alert" className="absolute inset-x-0 top-2 flex justify-center">
        <span className="flex items-center gap-2 rounded-full bg-warning-soft py-1 ps-3 pe-1 text-small shadow-float">
          {t('chat.timeline.failed')}
          <button
            type="button"
            onClick={onRetry}
            className="rounded-full px-2 py-0.5 font-medium text-accent hover:bg-hover"
          >
            {t('chat.message.retry')}
          </button>
        </span>
      </div>
    )
  if (!isOlder) return null
  return (
    <div className="late pointer-events-none absolute inset-x-0 top-2 flex justify-center">
      <span className="rounded-full bg-raised px-3 py-1 text-small text-soft shadow-float">{t('chat.loading')}</span>
    </div>
  )
}

/** The store began anew: nothing to do about it, but good to know. */
function Discontinuity({ count }: { readonly count: number }) {
  const { t } = useTranslation()
  const [first] = useState(count)
  const [told, setTold] = useState(first)
  if (count <= told) return null
  return (
    <div role="status" className="absolute inset-x-0 top-2 flex justify-center px-4">
      <span className="flex items-center gap-2 rounded-full bg-warning-soft py-1 ps-3 pe-1 text-small shadow-float">
        {t('chat.timeline.discontinuity')}
        <button
          type="button"
          onClick={() => setTold(count)}
          className="rounded-full px-2 py-0.5 font-medium text-accent hover:bg-hover"
        >
          {t('app.close')}
        </button>
      </span>
    </div>
  )
}

const skeletons = ['w-56', 'w-72 ms-auto', 'w-40 ms-auto', 'w-80', 'w-64', 'w-52 ms-auto', 'w-72']

function Loading() {
  const { t } = useTranslation()
  return (
    <div
      role="status"
      aria-label={t('chat.loading')}
      className="late mx-auto flex size-full max-w-4xl flex-col justify-end gap-2 px-4 pb-4"
    >
      {skeletons.map((look, nth) => (
        <span key={nth} className={`h-10 max-w-full rounded-large bg-theirs ${look}`} />
      ))}
    </div>
  )
}

function Failed({ onRetry }: { onRetry(): void }) {
  const { t } = useTranslation()
  return (
    <div role="alert" className="grid size-full place-content-center justify-items-center gap-3 p-6 text-center">
      <p className="text-soft">{t('chat.timeline.failed')}</p>
      <Button look="secondary" onPress={onRetry}>
        {t('chat.message.retry')}
      </Button>
    </div>
  )
}
