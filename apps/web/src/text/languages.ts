/** The languages, and loading one: only what is spoken is fetched. */
import { setSpoken, speakBy, spoken } from './translate.ts'

export const languages = { en: 'English', de: 'Deutsch', ar: 'العربية' } as const
export type Language = keyof typeof languages

const texts: Readonly<Record<Language, () => Promise<{ readonly default: object }>>> = {
  en: () => import('./en.ts'),
  de: () => import('./de.ts'),
  ar: () => import('./ar.ts'),
}

const isLanguage = (name: string): name is Language => Object.hasOwn(languages, name)

/** The first of the browser's languages that there is. */
export function browserLanguage(wanted: readonly string[] = navigator.languages): Language {
  return wanted.map(tag => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en'
}

/** What the page speaks, or is about to. */
let asked: Language | undefined

/** Turns the page to a language; its texts are there when this resolves. */
export async function speak(language: Language): Promise<void> {
  if (asked === language) return
  asked = language
  const { default: loaded } = await texts[language]()
  // Another one was chosen meanwhile.
  if (asked !== language) return
  setSpoken(speakBy(language, loaded))
  document.documentElement.lang = language
  document.documentElement.dir = spoken.get().i18n.dir()
}
