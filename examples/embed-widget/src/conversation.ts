/** The conversation with support: messages, a line that says how things are, and where one writes. */
import type { Timeline } from '@flotilla/sdk/state'
import { element } from './element.ts'
import type { Chat } from './guest.ts'
import { createMessages } from './messages.ts'
import type { Texts } from './texts.ts'
import type { Part } from './part.ts'

const textLengthMax = 8_000

export function createConversation(chat: Chat, texts: Texts, changed: () => void): Part {
  const { state, conversation } = chat
  const [view, typing] = [state.conversation(conversation), state.typing(conversation)]
  const timeline = state.timeline(conversation)
  const messages = createMessages(timeline, texts)
  const note = element('p', { class: 'note', role: 'status' })
  const { form, input } = createComposer(chat, timeline, texts)
  const ends = [view, typing, state.connection].map(one => one.subscribe(changed))

  const noteOf = () => {
    if (state.connection.get().name === 'waiting') return texts.offline
    if (typing.get().length > 0) return `${view.get()?.name ?? ''} ${texts.typing}`
    return view.get()?.pending === true ? texts.pending : ''
  }
  return {
    element: element('div', { class: 'content' }, messages.element, note, form),
    update(isOpen) {
      const telling = noteOf()
      if (note.textContent !== telling) note.textContent = telling
      const { head = 0, unread = 0 } = view.get() ?? {}
      if (isOpen && unread > 0 && document.visibilityState === 'visible') state.markRead(conversation, head)
    },
    focus() {
      messages.showEnd()
      input.focus()
    },
    unread: () => view.get()?.unread ?? 0,
    title: () => view.get()?.name,
    end() {
      messages.end()
      for (const end of ends) end()
    },
  }
}

function createComposer({ client, state, conversation }: Chat, timeline: Timeline, texts: Texts) {
  const draft = state.draft(conversation)
  const input = element('textarea', {
    rows: '2',
    maxlength: String(textLengthMax),
    dir: 'auto',
    'aria-label': texts.message,
    placeholder: texts.message,
  })
  input.value = draft.get()?.text ?? ''
  const form = element('form', {}, input, element('button', { class: 'do' }, texts.send))
  input.addEventListener('input', () => {
    draft.set({ text: input.value })
    client.typing(conversation)
  })
  input.addEventListener('keydown', event => {
    // The Enter that ends a composition is the input method's.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener('submit', event => {
    event.preventDefault()
    const text = input.value.trim()
    if (text === '') return
    timeline.send({ body: { text } })
    draft.set(null)
    input.value = ''
    input.focus()
  })
  return { form, input }
}
