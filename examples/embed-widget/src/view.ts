/** The bubble and its panel: shows what the guest's stage says, and owns nothing but whether the panel is open. */
import { createConversation } from './conversation.ts'
import { element, icon } from './element.ts'
import type { Guest } from './guest.ts'
import { createNameForm } from './name-form.ts'
import type { Part } from './part.ts'
import type { Texts } from './texts.ts'

const speech = 'M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-9l-5 5v-5H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z'
/** More than that is not counted. */
const shownMax = 99

export function createView(guest: Guest, texts: Texts): HTMLElement {
  const badge = element('span', { class: 'badge', 'aria-hidden': 'true' })
  const bubble = element('button', { type: 'button', class: 'bubble', 'aria-controls': 'panel' }, icon(speech), badge)
  const close = element('button', { type: 'button', 'aria-label': texts.close }, '✕')
  const title = element('h2', { id: 'title', dir: 'auto' })
  const head = element('div', { class: 'head' }, title, close)
  const panel = element('section', { id: 'panel', class: 'panel', role: 'dialog', 'aria-labelledby': 'title' }, head)
  /** Tells those who do not see the badge. */
  const told = element('p', { class: 'away', role: 'status' })
  const root = element('div', {}, panel, bubble, told)
  let isOpen = false
  let stage: string | undefined
  let part: Part | undefined

  function draw(): void {
    part?.update(isOpen)
    const unread = isOpen ? 0 : (part?.unread?.() ?? 0)
    const waiting = `${texts.unread} ${unread}`
    panel.hidden = !isOpen
    title.textContent = part?.title?.() ?? texts.title
    badge.hidden = unread === 0
    badge.textContent = unread > shownMax ? `${shownMax}+` : String(unread)
    bubble.setAttribute('aria-expanded', String(isOpen))
    bubble.setAttribute('aria-label', isOpen ? texts.close : unread === 0 ? texts.open : `${texts.open}. ${waiting}`)
    const telling = unread === 0 ? '' : waiting
    if (told.textContent !== telling) told.textContent = telling
  }

  function show(open: boolean): void {
    isOpen = open
    draw()
    if (open) (part ?? close).focus()
    else bubble.focus()
  }

  guest.subscribe(() => {
    const now = guest.get()
    if (now.name !== stage) {
      // Whoever was writing in what goes goes on in what comes.
      const hadFocus = isOpen && panel.contains((root.getRootNode() as ShadowRoot).activeElement)
      part?.end?.()
      part?.element.remove()
      stage = now.name
      part = now.name === 'open' ? createConversation(now, texts, draw) : createNameForm(guest, texts)
      panel.append(part.element)
      draw()
      if (hadFocus) part.focus()
    } else draw()
  })
  bubble.addEventListener('click', () => show(!isOpen))
  close.addEventListener('click', () => show(false))
  root.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !isOpen || event.isComposing) return
    event.stopPropagation()
    show(false)
  })
  document.addEventListener('visibilitychange', draw)
  draw()
  return root
}
