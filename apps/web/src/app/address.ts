/**
 * The addresses of the page: few patterns with named parts, so that a link that leads nowhere does not compile.
 */
export const patterns = [
  '/',
  '/c/$conversation',
  '/contacts',
  '/join',
  '/signin',
  '/settings',
  '/settings/$part',
] as const
export type Pattern = (typeof patterns)[number]

/** The names of its parts. */
export type NameIn<P extends string> = P extends `${string}$${infer Rest}`
  ? Rest extends `${infer Name}/${infer More}`
    ? Name | NameIn<More>
    : Rest
  : never

type Params<P extends Pattern> = { readonly [Name in NameIn<P>]: string }

/** An address, by its pattern. */
export type Target = {
  [P in Pattern]: {
    readonly to: P
    readonly search?: Readonly<Record<string, string | undefined>>
  } & ([NameIn<P>] extends [never] ? { readonly params?: undefined } : { readonly params: Params<P> })
}[Pattern]

export interface Place {
  readonly path: string
  readonly search: string
  /** Undefined where there is no such page. */
  readonly pattern: Pattern | undefined
  readonly params: Readonly<Record<string, string>>
}

export function placeOf(path: string, search = ''): Place {
  const parts = path.split('/')
  for (const pattern of patterns) {
    const names = pattern.split('/')
    const isIt =
      names.length === parts.length &&
      names.every((name, at) => (name.startsWith('$') ? parts[at] !== '' : name === parts[at]))
    if (!isIt) continue
    const params = names.flatMap((name, at) => (name.startsWith('$') ? [[name.slice(1), decode(parts[at] ?? '')]] : []))
    return { path, search, pattern, params: Object.fromEntries(params) as Record<string, string> }
  }
  return { path, search, pattern: undefined, params: {} }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function hrefOf({ to, params, search = {} }: Target): string {
  const path = to.replaceAll(/\$(\w+)/g, (_, name: string) =>
    encodeURIComponent((params as Readonly<Record<string, string>> | undefined)?.[name] ?? ''),
  )
  const pairs = Object.entries(search).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`
}

/** Only paths of this page: whoever made the link does not choose where people go next. */
export const isOwnPath = (next: unknown): next is string => typeof next === 'string' && /^\/(?![/\\])/.test(next)

export const nextOf = (search: string): string => {
  const next = new URLSearchParams(search).get('next')
  return isOwnPath(next) ? next : '/'
}
