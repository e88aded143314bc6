/** Asks a stranger for a name, says that the chat is being opened, or why it is not. */
import { element } from './element.ts'
import type { Guest } from './guest.ts'
import type { Texts } from './texts.ts'
import type { Part } from './part.ts'

const nameLengthMax = 64

export function createNameForm(guest: Guest, texts: Texts): Part {
  const input = element('input', {
    required: true,
    maxlength: String(nameLengthMax),
    autocomplete: 'name',
    dir: 'auto',
  })
  const form = element(
    'form',
    { class: 'name' },
    element('label', {}, texts.name, input),
    element('button', { class: 'do' }, texts.begin),
  )
  const note = element('p', { class: 'note', role: 'status', tabindex: '-1' })
  let isBusy = false
  form.addEventListener('submit', event => {
    event.preventDefault()
    const name = input.value.trim()
    if (name === '' || isBusy) return
    isBusy = true
    void guest.enter(name).finally(() => (isBusy = false))
  })
  return {
    element: element('div', { class: 'content' }, form, note),
    update() {
      const stage = guest.get()
      const failure = 'failure' in stage ? stage.failure : undefined
      form.hidden = stage.name !== 'stranger'
      const telling = failure === undefined ? (form.hidden ? texts.opening : '') : `${texts.unable} ${failure.message}`
      if (note.textContent !== telling) note.textContent = telling
    },
    focus: () => (form.hidden ? note : input).focus(),
  }
}
