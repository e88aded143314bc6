/**
 * Slow mode, as whoever writes feels it: when the next message may go. Counted from the last one that is known of here; where
 * another device has sent one, the server has the last word, and the message waits for it.
 */
import type { ConversationView, Timeline } from '@flotilla/sdk/state'
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { slowModeMsOf } from '../access.ts'
import { lengthOfTime } from '../format.ts'
import { useChat, useIsPast } from '../hooks.ts'
import { announce } from '../parts/announcer.tsx'

/** @returns until when one has to wait; undefined where one may write */
export function useWait(view: ConversationView, timeline: Timeline): number | undefined {
  const { t, i18n } = useTranslation()
  const { state } = useChat()
  const whole = useMemo(() => state.timeline(view.id), [state, view.id])
  const last = Math.max(useLastPost(timeline), useLastPost(whole))
  const pauseMs = slowModeMsOf(view)
  const until = last + pauseMs
  const isOver = useIsPast(until) || pauseMs === 0
  useEffect(() => {
    if (!isOver) announce(t('chat.composer.wait', { length: lengthOfTime(pauseMs, i18n.language) }))
  }, [isOver, pauseMs, t, i18n.language])
  return isOver ? undefined : until
}

function useLastPost(timeline: Timeline): number {
  const get = useMemo(() => createLastPost(timeline), [timeline])
  const subscribe = useCallback((changed: () => void) => timeline.subscribe(changed), [timeline])
  return useSyncExternalStore(subscribe, get)
}

/** By the clock of the device, which need not be that of the server. */
export function createLastPost(timeline: Pick<Timeline, 'get'>, now = Date.now): () => number {
  let known = { key: '', state: '', at: 0 }
  return () => {
    const row = timeline.get().rows.findLast(one => one.kind === 'message' && one.own && one.state !== 'failed')
    if (row?.kind !== 'message') return 0
    const { key, state } = row
    // The server counts from when it has taken the message.
    if (key !== known.key) known = { key, state, at: Math.min(row.at, now()) }
    else if (state !== known.state) known = { key, state, at: now() }
    return known.at
  }
}
