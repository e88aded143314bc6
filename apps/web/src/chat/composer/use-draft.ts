/** What was begun before, here or on another device; and the text of what is to be changed. */
import { bodyAs } from '@flotilla/sdk'
import type { DraftState } from '@flotilla/sdk/state'
import { type RefObject, useEffect, useLayoutEffect } from 'react'
import type { Value } from '../../app/value.ts'
import type { Mode } from '../conversation/mode.ts'

/** Writes into the field what it is to begin with. */
export function useDraft(
  area: RefObject<HTMLTextAreaElement | null>,
  draft: DraftState | undefined,
  mode: Value<Mode>,
  write: (text: string) => void,
): void {
  useLayoutEffect(() => {
    write(draft?.get()?.text ?? '')
  }, [draft, write])
  useEffect(
    () =>
      draft?.subscribe(() => {
        const { current } = area
        const text = draft.get()?.text ?? ''
        if (current === null || mode.get().kind === 'edit' || text === current.value) return
        // What is being written here counts more.
        if (document.activeElement !== current || text === '') write(text)
      }),
    [area, draft, mode, write],
  )
  useEffect(
    () =>
      mode.subscribe(() => {
        const about = mode.get()
        if (about.kind === 'edit') write(bodyAs('text', about.message.body)?.text ?? '')
        area.current?.focus()
      }),
    [area, mode, write],
  )
}

/** Keeps what is written, to be gone on with: not the change of a message, which nobody goes on with elsewhere. */
export function keepDraft(draft: DraftState | undefined, about: Mode, text: string): void {
  if (about.kind === 'edit') return
  const replyTo = about.kind === 'reply' ? about.message.seq : undefined
  draft?.set(text === '' ? null : { text, ...(replyTo === undefined ? {} : { replyTo }) })
}
