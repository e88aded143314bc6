/**
 * The list of a conversation's rows: what is drawn of thousands, and where it stands. Everything that scrolls is in here, behind
 * one interface, so that what draws it (virtua) can be replaced. The rules:
 *
 * - A row is known by its key. Where one stands on the screen, it stays, whatever comes before or behind it.
 * - At the bottom the list follows what comes, before it is painted; elsewhere it stays.
 * - Where it is brought to a row, it stays with it until the rows around are measured, or somebody scrolls.
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
import { below, Hold, type TopOf } from './hold.ts'
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
  const hold = useHold(scroller, list, start)
  const report = useReport(scroller, list, hold, shown, props)
  const topOf = useTops(shown)
  useStart(start, shown, hold, topOf, report)
  useFollow(shown, hasNewer, hold)
  const { active, activeAt, focusKey, onFocus, onKeyDown } = useRowFocus({
    shown,
    scroller,
    onRowKey,
    onMove(nth) {
      const row = shown[nth]
      if (nth === shown.length - 1 && !hasNewer) bringToBottom(hold)
      else if (row !== undefined) hold.toRow(topOf(row.key, 'nearest'))
    },
  })
  useImperativeHandle(
    ref,
    () => ({
      toBottom() {
        bringToBottom(hold)
      },
      toKey(key) {
        if (!shown.some(row => row.key === key)) return false
        hold.toRow(topOf(key, 'center'))
        flash(scroller, key)
        return true
      },
      focus() {
        const last = list.current === null ? undefined : lastInView(list.current, shown)
        if (last !== undefined) focusKey(last.key)
      },
    }),
    [shown, hold, topOf, focusKey],
  )
  const onScroll = useCallback(() => {
    if (hold.scrolled()) report()
  }, [hold, report])

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
function useHold(scroller: Scroller, list: List, start: Place): Hold {
  const [hold] = useState(() => new Hold(start === 'bottom'))
  useLayoutEffect(() => {
    if (scroller.current === null || list.current === null) return undefined
    return hold.attach(scroller.current, list.current)
  }, [scroller, list, hold])
  return hold
}

function bringToBottom(hold: Hold): void {
  hold.toBottom()
  hold.pin()
}

/** So many pixels below the upper edge; in the middle; or where it is in view with the least of scrolling. */
type Align = number | 'center' | 'nearest'

/** @returns what tells how far down the list is to be scrolled for a row, whatever rows come meanwhile; always the same function */
function useTops(shown: readonly Placed[]): (key: string, align: Align) => TopOf {
  const latest = useRef(shown)
  useLayoutEffect(() => {
    latest.current = shown
  }, [shown])
  return useCallback(
    (key, align) => handle => {
      const nth = latest.current.findIndex(row => row.key === key)
      if (nth < 0) return undefined
      const top = handle.getItemOffset(nth)
      const spare = handle.viewportSize - handle.getItemSize(nth)
      if (typeof align === 'number') return top - align
      if (align === 'center') return top - spare / 2
      return Math.min(top, Math.max(handle.scrollOffset, top - spare))
    },
    [],
  )
}

/** @returns what tells where the list stands, and asks for the next page near an end; always the same function */
function useReport(
  scroller: Scroller,
  list: List,
  hold: Hold,
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
    hold.look()
    if (props.hasOlder && scrollTop < prefetchPx) props.onOlder()
    if (props.hasNewer && belowPx < prefetchPx) props.onNewer()
    props.onPlace(
      placeOf(handle, shown, hold.isAtBottom && !props.hasNewer),
      lastSeen(handle, shown, scrollTop + clientHeight),
    )
  }, [scroller, list, hold])
  useEffect(report, [report, shown, props.hasOlder, props.hasNewer])
  return report
}

/** Once there are rows, and once only. */
function useStart(
  start: Place,
  shown: readonly Placed[],
  hold: Hold,
  topOf: (key: string, align: Align) => TopOf,
  report: () => void,
): void {
  const isPlaced = useRef(false)
  useLayoutEffect(() => {
    if (isPlaced.current || shown.length === 0) return
    isPlaced.current = true
    if (start === 'bottom' || !shown.some(row => row.key === start.key)) return bringToBottom(hold)
    hold.toRow(topOf(start.key, start.offset))
    // Once its rows are measured.
    requestAnimationFrame(() => requestAnimationFrame(report))
  }, [start, shown, hold, topOf, report])
}

/** What comes at the end is followed at the bottom; what oneself sends, from everywhere. */
function useFollow(shown: readonly Placed[], hasNewer: boolean, hold: Hold): void {
  const lastKey = useRef<string>(undefined)
  useLayoutEffect(() => {
    const last = shown.at(-1)
    const isNew = last !== undefined && last.key !== lastKey.current
    const wasEmpty = lastKey.current === undefined
    lastKey.current = last?.key
    if (!isNew || wasEmpty) return
    if (last.row.kind === 'message' && last.row.own && last.row.state === 'sending') hold.toBottom()
    if (!hasNewer) hold.follow()
  }, [shown, hasNewer, hold])
}
