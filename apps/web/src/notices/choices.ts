/** What this browser does when a message comes: chosen here, kept here, the same in all tabs. No secrets: localStorage has it. */
import { createValue, type Readable } from '../app/value.ts'

export interface NoticeChoices {
  readonly sound: boolean
  readonly desktop: boolean
  /** This browser is registered for pushes. */
  readonly push: boolean
}

const key = 'flotilla.notices'
const normal: NoticeChoices = { sound: true, desktop: false, push: false }

function read(): NoticeChoices {
  let kept: Partial<Record<keyof NoticeChoices, unknown>> = {}
  try {
    kept = Object(JSON.parse(localStorage.getItem(key) ?? '{}')) as typeof kept
  } catch {
    // Storage is off, or somebody has written into it: it is as at first.
  }
  const flag = (name: keyof NoticeChoices) => {
    const value = kept[name]
    return typeof value === 'boolean' ? value : normal[name]
  }
  return { sound: flag('sound'), desktop: flag('desktop'), push: flag('push') }
}

const chosen = createValue(read())
export const noticeChoices: Readable<NoticeChoices> = chosen

globalThis.addEventListener?.('storage', event => {
  if (event.key === key) chosen.set(read())
})

export function chooseNotices(change: Partial<NoticeChoices>): void {
  chosen.set({ ...chosen.get(), ...change })
  try {
    localStorage.setItem(key, JSON.stringify(chosen.get()))
  } catch {
    // It then holds until the page is closed.
  }
}
