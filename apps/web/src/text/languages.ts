/**
 * The languages, and loading one: only what is spoken is fetched. The words of the conversations come with them, those of the
 * settings likewise, and those of what nobody sees at first with that.
 */
import { setSpoken, speakBy, spoken } from './translate.ts'

export const languages = { en: 'English', de: 'Deutsch', ar: 'العربية' } as const
export type Language = keyof typeof languages

type Area = 'shell' | 'chat' | 'late' | 'settings'
type Load = () => Promise<{ readonly default: object }>

const texts: Readonly<Record<Language, Readonly<Record<Area, Load>>>> = {
  en: {
    shell: () => import('./en/shell.json'),
    chat: () => import('./en/chat.json'),
    late: () => import('./en/late.json'),
    settings: () => import('./en/settings.json'),
  },
  de: {
    shell: () => import('./de/shell.json'),
    chat: () => import('./de/chat.json'),
    late: () => import('./de/late.json'),
    settings: () => import('./de/settings.json'),
  },
  ar: {
    shell: () => import('./ar/shell.json'),
    chat: () => import('./ar/chat.json'),
    late: () => import('./ar/late.json'),
    settings: () => import('./ar/settings.json'),
  },
}

const isLanguage = (name: string): name is Language => Object.hasOwn(languages, name)

/** The first of the browser's languages that there is. */
export function browserLanguage(wanted: readonly string[] = navigator.languages): Language {
  return wanted.map(tag => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en'
}

/** What the page speaks, or is about to. */
let asked: Language | undefined
const wanted = new Set<Exclude<Area, 'shell'>>()
let before: Promise<void> = Promise.resolve()

/** Turns the page to a language; its texts are there when this resolves. */
export async function speak(language: Language): Promise<void> {
  if (asked === language) return
  asked = language
  await load(language)
}

/** Brings the words of an area, in whatever language is spoken by then. */
export async function speakOf(area: Exclude<Area, 'shell'>): Promise<void> {
  if (wanted.has(area)) return before
  wanted.add(area)
  if (asked === undefined) return
  try {
    await load(asked)
  } catch (error) {
    // Who asks once more has them fetched once more.
    wanted.delete(area)
    throw error
  }
}

/** One after the other, so that what was asked for last is what holds. */
function load(language: Language): Promise<void> {
  const all = texts[language]
  const areas = [...wanted]
  const fetched = Promise.all([all.shell(), ...areas.map(area => all[area]())])
  before = Promise.all([fetched, before.catch(() => {})]).then(([[shell, ...others]]) => {
    // Another one was chosen meanwhile.
    if (asked !== language) return
    const { settings, ...words } = Object.fromEntries(areas.map((area, nth) => [area, others[nth]?.default]))
    // Like those of the shell, the words of the settings are called by the page that they are on.
    setSpoken(speakBy(language, { ...shell.default, ...settings, ...words }))
    document.documentElement.lang = language
    document.documentElement.dir = spoken.get().i18n.dir()
  })
  return before
}
