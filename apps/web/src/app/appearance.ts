/** How the page looks on this device: theme, contrast, density, language. No secrets, so they may lie in localStorage. */
import { type Readable, createValue } from './value.ts'
import { browserLanguage, type Language, languages, speak } from '../text/languages.ts'

export const themes = ['system', 'light', 'dark'] as const
export const contrasts = ['system', 'normal', 'more'] as const
export const densities = ['comfortable', 'compact'] as const

export interface Appearance {
  readonly theme: (typeof themes)[number]
  readonly contrast: (typeof contrasts)[number]
  readonly density: (typeof densities)[number]
  readonly language: Language | 'system'
}

const key = 'flotilla.appearance'
const normal: Appearance = { theme: 'system', contrast: 'system', density: 'comfortable', language: 'system' }

const one = <T extends string>(allowed: readonly T[], value: unknown, otherwise: T) =>
  allowed.find(each => each === value) ?? otherwise

function read(): Appearance {
  let kept: Partial<Record<keyof Appearance, unknown>> = {}
  try {
    kept = Object(JSON.parse(localStorage.getItem(key) ?? '{}')) as typeof kept
  } catch {
    // Storage is off, or somebody has written into it: the page looks as it does at first.
  }
  return {
    theme: one(themes, kept.theme, normal.theme),
    contrast: one(contrasts, kept.contrast, normal.contrast),
    density: one(densities, kept.density, normal.density),
    language: one(['system', ...(Object.keys(languages) as Language[])], kept.language, normal.language),
  }
}

const chosen = createValue(read())
export const appearance: Readable<Appearance> = chosen

function show({ theme, contrast, density }: Appearance): void {
  const { dataset } = document.documentElement
  for (const [name, value] of Object.entries({ theme, contrast })) {
    if (value === 'system') delete dataset[name]
    else dataset[name] = value
  }
  dataset['density'] = density
}

/** Shows what was chosen; the texts are there when this resolves. */
export async function applyAppearance(): Promise<void> {
  const { language } = chosen.get()
  show(chosen.get())
  await speak(language === 'system' ? browserLanguage() : language)
}

export async function choose(change: Partial<Appearance>): Promise<void> {
  chosen.set({ ...chosen.get(), ...change })
  try {
    localStorage.setItem(key, JSON.stringify(chosen.get()))
  } catch {
    // It then holds until the page is closed.
  }
  await applyAppearance()
}
