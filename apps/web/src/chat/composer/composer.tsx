/**
 * Where one writes. A textarea that keeps its own text, so that a key press draws nothing but itself; it hears of nothing that
 * happens in the conversation but by the few values that it is given.
 */
import type { User } from '@flotilla/sdk'
import type { DraftState, Timeline } from '@flotilla/sdk/state'
import { type ClipboardEvent, memo, type Ref, type RefObject, useImperativeHandle, useRef, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useValue, type Value } from '../../app/value.ts'
import { type Mode, posting } from '../conversation/mode.ts'
import { useChat } from '../hooks.ts'
import { lengthOfTime } from '../format.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { toast } from '../../ui/toast.tsx'
import { type Choice, Menu } from '../parts/menu.tsx'
import { About } from './about.tsx'
import { complete } from './complete.ts'
import { Completions, type CompletionsHandle } from './completions.tsx'
import { EmojiButton } from './emoji-button.tsx'
import { pressIn } from './field-keys.ts'
import { keepDraft, useDraft } from './use-draft.ts'
import { type Field, useField } from './use-field.ts'
import { useMentionable } from './use-mentionable.ts'
import { useSend } from './use-send.ts'
import { Wait } from './wait.tsx'

/** As the server takes it. */
const textLengthMax = 8_000

export interface ComposerHandle {
  focus(): void
}

export interface ComposerProps {
  readonly conversation: string
  readonly timeline: Timeline
  readonly draft: DraftState | undefined
  readonly mode: Value<Mode>
  /** Whom one may mention, as far as that is told. */
  readonly people: readonly User[]
  /** They are too many to be told: the server is asked. */
  readonly areMany: boolean
  readonly mayMentionAll: boolean
  readonly label: string
  readonly actions: readonly Choice[]
  /** Until when the next message has to wait. */
  readonly waitUntil: number | undefined
  readonly ref?: Ref<ComposerHandle>
  /** The last message of one's own, to be changed. @returns false where there is none */
  editLast(): boolean
  /** It was sent: show it. */
  onSent(): void
  /** Sends what is written at a time. */
  onSchedule?(text: string, taken: () => void): void
}

export const Composer = memo(function Composer(props: ComposerProps) {
  const { conversation, draft, mode, mayMentionAll, label, actions, waitUntil, ref, editLast, onSchedule } = props
  const { t } = useTranslation()
  const area = useRef<HTMLTextAreaElement>(null)
  const list = useRef<CompletionsHandle>(null)
  const about = useValue(mode)
  const field = useField(area)
  const { isEmpty, query, write } = field
  const people = useMentionable(props.people, props.areMany, query)
  const submit = useSubmit({ ...props, people }, field)
  useDraft(area, draft, mode, write)
  useImperativeHandle(ref, () => ({ focus: () => area.current?.focus() }), [])

  /** No longer answers or changes a message. */
  const stop = () => {
    if (about.kind === 'edit') write(draft?.get()?.text ?? '')
    mode.set(posting)
  }
  const take = (words: string) => {
    if (query === undefined) return
    const { text, caret } = complete(field.text(), query, words)
    write(text, caret)
    keepDraft(draft, about, text)
    area.current?.focus()
  }

  return (
    <div className="relative mx-auto w-full max-w-4xl px-1 pb-2 sm:px-3" data-composer>
      {query !== undefined && (
        <Completions
          ref={list}
          query={query}
          people={people}
          mayMentionAll={mayMentionAll}
          onTake={take}
          onNone={field.endQuery}
        />
      )}
      <About
        mode={about}
        onClose={() => {
          stop()
          area.current?.focus()
        }}
      />
      <div className="flex items-end gap-1">
        {actions.length > 0 && about.kind === 'post' && (
          <Menu label={t('chat.composer.more')} choices={actions} placement="top start">
            <IconButton icon="add" label={t('chat.composer.more')} />
          </Menu>
        )}
        <Area
          area={area}
          list={list}
          conversation={conversation}
          draft={draft}
          label={label}
          about={about}
          field={field}
          editLast={editLast}
          submit={submit}
          stop={stop}
        />
        {onSchedule !== undefined && !isEmpty && about.kind === 'post' && (
          <IconButton
            icon="clock"
            label={t('chat.composer.schedule')}
            onPress={() => onSchedule(field.text().trim(), () => (write(''), draft?.set(null)))}
          />
        )}
        <SendButton isEdit={about.kind === 'edit'} isEmpty={isEmpty} waitUntil={waitUntil} onPress={submit} />
      </div>
    </div>
  )
})

interface AreaProps extends Pick<ComposerProps, 'conversation' | 'draft' | 'label' | 'editLast'> {
  readonly area: RefObject<HTMLTextAreaElement | null>
  readonly list: RefObject<CompletionsHandle | null>
  readonly about: Mode
  readonly field: Field
  submit(): void
  stop(): void
}

/** The field itself, with the emoji at its end. */
function Area({ conversation, draft, label, editLast, area, list, about, field, submit, stop }: AreaProps) {
  const { client } = useChat()
  const [isPicking, setPicking] = useState(false)
  const { query } = field
  const leave = () => {
    if (query === undefined && about.kind === 'post') return false
    if (query === undefined) stop()
    else field.endQuery()
    return true
  }
  const onInput = () => {
    const text = field.text()
    field.wrote()
    keepDraft(draft, about, text)
    if (text !== '' && about.kind !== 'edit') client.typing(conversation)
  }
  return (
    <div className="flex min-w-0 grow items-end rounded-large border border-line-strong bg-canvas focus-within:border-focus focus-within:outline focus-within:outline-focus">
      <textarea
        ref={area}
        rows={1}
        dir="auto"
        aria-label={label}
        placeholder={label}
        maxLength={textLengthMax}
        autoComplete="off"
        enterKeyHint="send"
        onKeyDown={event =>
          pressIn(event, {
            choose: key => query !== undefined && list.current?.press(key) === true,
            pickEmoji: () => setPicking(true),
            submit,
            editLast,
            leave,
          })
        }
        onInput={onInput}
        onSelect={() => query !== undefined && field.wrote()}
        onBlur={() => client.stopTyping(conversation)}
        onPaste={pasteText}
        className="max-h-48 min-h-10 min-w-0 grow resize-none bg-transparent px-3 py-2 text-body outline-none [field-sizing:content] placeholder:truncate placeholder:text-soft"
      />
      <EmojiButton area={area} isOpen={isPicking} onOpenChange={setPicking} />
    </div>
  )
}

interface SendProps extends Pick<ComposerProps, 'waitUntil'> {
  readonly isEdit: boolean
  readonly isEmpty: boolean
  onPress(): void
}

function SendButton({ isEdit, isEmpty, waitUntil, onPress }: SendProps) {
  const { t } = useTranslation()
  if (waitUntil !== undefined && !isEdit) return <Wait until={waitUntil} />
  return (
    <IconButton
      icon={isEdit ? 'check' : 'send'}
      look={isEmpty ? 'quiet' : 'accent'}
      isTurned
      isDisabled={isEmpty && !isEdit}
      label={t(isEdit ? 'chat.composer.save' : 'chat.composer.send')}
      onPress={onPress}
    />
  )
}

/** @returns what sends what is written, and makes room for the next */
function useSubmit(props: ComposerProps, { text, write }: Field): () => void {
  const { draft, mode, waitUntil, onSent } = props
  const { t, i18n } = useTranslation()
  const send = useSend(props)
  return () => {
    const isEdit = mode.get().kind === 'edit'
    const written = text().trim()
    if (waitUntil !== undefined && !isEdit) {
      const length = lengthOfTime(Math.max(0, waitUntil - Date.now()), i18n.language)
      if (written !== '') toast(t('chat.composer.wait', { length }))
      return
    }
    if ((written === '' && !isEdit) || !send(written)) return
    mode.set(posting)
    write(isEdit ? (draft?.get()?.text ?? '') : '')
    if (isEdit) return
    draft?.set(null)
    onSent()
  }
}

/** Words count more than the picture of them, which office programs put beside. */
function pasteText(event: ClipboardEvent<HTMLTextAreaElement>): void {
  if (event.clipboardData.getData('text/plain') !== '') return
  if (event.clipboardData.files.length > 0) event.preventDefault()
}
