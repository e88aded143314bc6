/**
 * The list of a conversation's rows: what is drawn of thousands, and where it stands. Everything that scrolls is in here, behind
 * one interface, so that what draws it (virtua) can be replaced. The rules:
 *
 * - A row is known by its key. Where one stands on the screen, it stays, whatever comes before or behind it.
 * - At the bottom the list follows what comes, before it is painted; elsewhere it stays.
 * - Nobody else moves it: no anchoring by the browser, no smooth scrolling.
 */
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import type { Placed } from './arrange.ts'
import { below, Bottom } from './bottom.ts'
import { lastInView, lastSeen, type Place, placeOf } from './place.ts'
import { stepTo } from './steps.ts'
import { flash, useRowFocus } from './use-row-focus.ts'

export type { Place } from './place.ts'

export interface TimelineHandle {
  toBottom(): void
  /** Brings a row into the middle, and points it out. @returns false where it is not among the rows */
  toKey(key: string): boolean
  focus(): void
}

export interface TimelineProps {
  readonly rows: readonly Placed[]
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** Where it stands at first. */
  readonly start: Place
  readonly label: string
  readonly ref?: Ref<TimelineHandle>
  onOlder(): void
  onNewer(): void
  /** It has moved: where it stands now, and the last row whose end is seen. */
  onPlace(place: Place, seen: Placed | undefined): void
  /** A key press on a row. @returns whether it was taken */
  onRowKey(event: KeyboardEvent, row: Placed): boolean
  draw(row: Placed, isActive: boolean): ReactNode
}

/** Closer to an end than that, the next page is fetched. */
const prefetchPx = 1_500

export function Timeline(props: TimelineProps) {
  const { rows, hasNewer, start, label, ref, onRowKey, draw } = props
  const { shown, shift } = useSteps(rows)
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const bottom = useBottom(scroller, list, start)
  const report = useReport(scroller, list, bottom, shown, props)
  useStart(start, shown, list, bottom, report)
  useFollow(shown, hasNewer, bottom)
  const { active, activeAt, focusKey, onFocus, onKeyDown } = useRowFocus({
    shown,
    scroller,
    onRowKey,
    onMove(nth) {
      bottom.hold(nth === shown.length - 1 && !hasNewer)
      list.current?.scrollToIndex(nth, { align: 'nearest' })
    },
  })
  useImperativeHandle(
    ref,
    () => ({
      toBottom() {
        bottom.hold(true)
        bottom.pin()
      },
      toKey(key) {
        const nth = shown.findIndex(row => row.key === key)
        if (nth < 0) return false
        bottom.hold(false)
        list.current?.scrollToIndex(nth, { align: 'center' })
        flash(scroller, key)
        return true
      },
      focus() {
        const last = list.current === null ? undefined : lastInView(list.current, shown)
        if (last !== undefined) focusKey(last.key)
      },
    }),
    [shown, bottom, focusKey],
  )
  const onScroll = useCallback(() => {
    if (bottom.scrolled()) report()
  }, [bottom, report])

  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- it takes the arrow keys for its rows
    <div
      ref={scroller}
      role="group"
      aria-label={label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is one stop of the Tab key, and scrolls
      tabIndex={activeAt < 0 ? 0 : -1}
      onKeyDown={onKeyDown}
      onFocus={onFocus}
      data-timeline
      className="flex size-full flex-col overflow-y-auto overscroll-contain [overflow-anchor:none] focus-visible:-outline-offset-2"
    >
      <div className="grow" />
      <Virtualizer
        ref={list}
        data={shown}
        shift={shift}
        scrollRef={scroller}
        onScroll={onScroll}
        bufferSize={400}
        {...(activeAt < 0 ? {} : { keepMounted: [activeAt] })}
      >
        {row => <Item key={row.key} row={row} isActive={row.key === active} draw={draw} />}
      </Virtualizer>
    </div>
  )
}

interface ItemProps {
  readonly row: Placed
  readonly isActive: boolean
  draw(row: Placed, isActive: boolean): ReactNode
}

const Item = memo(function Item({ row, isActive, draw }: ItemProps) {
  return <>{draw(row, isActive)}</>
})

/** What virtua is given: a list that grows or shrinks at one end at a time. */
function useSteps(rows: readonly Placed[]) {
  const [step, setStep] = useState({ shown: rows, shift: false })
  const { shown } = step
  useLayoutEffect(() => {
    // oxlint-disable-next-line react/set-state-in-effect -- virtua must have drawn one step before it is given the next
    if (shown !== rows) setStep(stepTo(shown, rows))
  }, [shown, rows])
  return step
}

type Scroller = { readonly current: HTMLDivElement | null }
type List = { readonly current: VirtualizerHandle | null }

/** At the bottom stays at the bottom, when rows or the window change their height: before it is painted. */
function useBottom(scroller: Scroller, list: List, start: Place): Bottom {
  const [bottom] = useState(() => new Bottom(start === 'bottom'))
  useLayoutEffect(() => {
    if (scroller.current === null || list.current === null) return undefined
    return bottom.attach(scroller.current, list.current)
  }, [scroller, list, bottom])
  return bottom
}

/** @returns what tells where the list stands, and asks for the next page near an end; always the same function */
function useReport(
  scroller: Scroller,
  list: List,
  bottom: Bottom,
  shown: readonly Placed[],
  props: TimelineProps,
): () => void {
  const latest = useRef({ shown, props })
  useLayoutEffect(() => {
    latest.current = { shown, props }
  }, [shown, props])
  const report = useCallback(() => {
    const { current: element } = scroller
    const { current: handle } = list
    const { shown, props } = latest.current
    if (element === null || handle === null || shown.length === 0) return
    const { scrollTop, clientHeight } = element
    const belowPx = below(element)
    bottom.look()
    if (props.hasOlder && scrollTop < prefetchPx) props.onOlder()
    if (props.hasNewer && belowPx < prefetchPx) props.onNewer()
    props.onPlace(
      placeOf(handle, shown, bottom.isHeld && !props.hasNewer),
      lastSeen(handle, shown, scrollTop + clientHeight),
    )
  }, [scroller, list, bottom])
  useEffect(report, [report, shown, props.hasOlder, props.hasNewer])
  return report
}

/** Once there are rows, and once only. */
function useStart(start: Place, shown: readonly Placed[], list: List, bottom: Bottom, report: () => void): void {
  const isPlaced = useRef(false)
  useLayoutEffect(() => {
    if (isPlaced.current || shown.length === 0) return
    isPlaced.current = true
    const nth = start === 'bottom' ? -1 : shown.findIndex(row => row.key === start.key)
    if (start === 'bottom' || nth < 0) return bottom.pin()
    list.current?.scrollToIndex(nth, { align: 'start', offset: -start.offset })
    const settle = () => {
      bottom.settle()
      report()
    }
    // Once its rows are measured.
    requestAnimationFrame(() => requestAnimationFrame(settle))
  }, [start, shown, list, bottom, report])
}

/** What comes at the end is followed at the bottom; what oneself sends, from everywhere. */
function useFollow(shown: readonly Placed[], hasNewer: boolean, bottom: Bottom): void {
  const lastKey = useRef<string>(undefined)
  useLayoutEffect(() => {
    const last = shown.at(-1)
    const isNew = last !== undefined && last.key !== lastKey.current
    const wasEmpty = lastKey.current === undefined
    lastKey.current = last?.key
    if (!isNew || wasEmpty) return
    if (last.row.kind === 'message' && last.row.own && last.row.state === 'sending') bottom.hold(true)
    if (!hasNewer) bottom.follow()
  }, [shown, hasNewer, bottom])
}
