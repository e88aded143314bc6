/** The messages: a row is drawn once, and anew only when something in it has changed. */
import { textOf } from '@flotilla/sdk'
import type { MessageRow, Timeline } from '@flotilla/sdk/state'
import { element } from './element.ts'
import type { Texts } from './texts.ts'

const nearPx = 40

export interface Messages {
  readonly element: HTMLElement
  showEnd(): void
  end(): void
}

export function createMessages(timeline: Timeline, texts: Texts): Messages {
  const list = element('ol')
  const older = element('button', { type: 'button', class: 'more' }, texts.older)
  older.addEventListener('click', () => void timeline.older())
  const log = element('div', { class: 'log', role: 'log', tabindex: '0', 'aria-label': texts.messages }, older, list)
  const showEnd = () => log.scrollTo({ top: log.scrollHeight })
  let drawn = new Map<string, { readonly row: MessageRow; readonly item: HTMLElement }>()

  function draw(): void {
    const { rows, hasOlder } = timeline.get()
    older.hidden = !hasOlder
    const isAtEnd = log.scrollTop + log.clientHeight > log.scrollHeight - nearPx
    const now: typeof drawn = new Map()
    for (const row of rows) {
      if (row.kind !== 'message') continue
      const before = drawn.get(row.key)
      now.set(row.key, before?.row === row ? before : { row, item: drawRow(row, timeline, texts) })
    }
    const items = [...now.values()].map(({ item }) => item)
    for (const { item } of drawn.values()) if (!items.includes(item)) item.remove()
    for (const [at, item] of items.entries())
      if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null)
    drawn = now
    if (isAtEnd) showEnd()
  }

  const end = timeline.subscribe(draw)
  draw()
  return { element: log, showEnd, end }
}

function drawRow(row: MessageRow, timeline: Timeline, texts: Texts): HTMLElement {
  const isRemoved = row.removed !== undefined
  const text = element('p', { class: isRemoved ? 'text faint' : 'text', dir: 'auto' })
  text.textContent = isRemoved ? texts.removed : textOf(row.body)
  const item = element('li', { class: row.own ? `own ${row.state}` : row.state }, text)
  // The side and the colour say it to those who see them.
  if (row.own) item.prepend(element('span', { class: 'away' }, `${texts.you}:`))
  if (row.state === 'failed') {
    const again = element('button', { type: 'button', class: 'again' }, texts.retry)
    again.addEventListener('click', () => timeline.retry(row.key))
    item.append(`${texts.failed} `, again)
  }
  return item
}
