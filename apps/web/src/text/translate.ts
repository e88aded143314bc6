/**
 * The words of the page in the language that is spoken: `{{holes}}` filled in, numbers and times as the language writes them,
 * and of a text with `count` the form that it needs. Keys are typed; what comes out is text and never HTML.
 */
import { createValue, type Readable, useValue } from '../app/value.ts'
import type en from './en.ts'

export type Texts = typeof en

type PluralForm = 'zero' | 'one' | 'two' | 'few' | 'many' | 'other'
type Leaves<T> = {
  [K in keyof T & string]: T[K] extends string ? K : `${K}.${Leaves<T[K]>}`
}[keyof T & string]
type WithoutForm<K> = K extends `${infer Base}_${PluralForm}` ? Base : K

/** The path of a text, without the ending of a plural. */
export type TextKey = WithoutForm<Leaves<Texts>> | Leaves<Texts>
export type Holes = Readonly<Record<string, string | number | Date | undefined>>
export type Translate = (key: TextKey, holes?: Holes) => string

export interface Spoken {
  readonly t: Translate
  readonly i18n: { readonly language: string; dir(): 'ltr' | 'rtl'; exists(key: string): boolean }
}

type Tree = { readonly [key: string]: string | Tree }

const fromTheRight: ReadonlySet<string> = new Set(['ar', 'fa', 'he', 'ur'])

const find = (texts: Tree, key: string): string | undefined => {
  const found = key
    .split('.')
    .reduce<string | Tree | undefined>(
      (tree, name) => (typeof tree === 'object' && Object.hasOwn(tree, name) ? tree[name] : undefined),
      texts,
    )
  return typeof found === 'string' ? found : undefined
}

export function speakBy(language: string, texts: object): Spoken {
  const tree = texts as Tree
  const forms = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  const times = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
  const write = (value: Holes[string]) => {
    if (typeof value === 'number') return numbers.format(value)
    return value instanceof Date ? times.format(value) : (value ?? '')
  }
  return {
    t(key, holes = {}) {
      const { count } = holes
      const counted = typeof count === 'number' ? find(tree, `${key}_${forms.select(count)}`) : undefined
      // A key without a text shows itself: it is seen, and the rest of the page works.
      const text = counted ?? find(tree, key) ?? key
      return text.replaceAll(/{{(\w+)}}/g, (_, name: string) => write(holes[name]))
    },
    i18n: {
      language,
      dir: () => (fromTheRight.has(language) ? 'rtl' : 'ltr'),
      exists: key => find(tree, key) !== undefined,
    },
  }
}

const held = createValue<Spoken>(speakBy('en', {}))

/** For whoever is no component. */
export const spoken: Readable<Spoken> = held
export const setSpoken = held.set
export const useTranslation = (): Spoken => useValue(held)
