/** Where the page is, going elsewhere, and links. What each address shows stands in pages.tsx. */
import { type AnchorHTMLAttributes, createContext, type MouseEvent, type Ref, use } from 'react'
import { hrefOf, type NameIn, type Pattern, type Place, placeOf, type Target } from './address.ts'
import { createValue, type Readable, useValue } from './value.ts'

const here = () => placeOf(location.pathname, location.search)
const held = createValue(here())

/** Where the page is. What is shown may still be the page before, until the next one is loaded. */
export const place: Readable<Place> = held
globalThis.addEventListener?.('popstate', () => held.set(here()))

/** @param href a path of this page @param replace leave no step behind */
export function goTo(href: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', href)
  else if (href !== location.pathname + location.search) history.pushState(null, '', href)
  held.set(here())
}

export type Navigate = (target: Target & { readonly replace?: boolean }) => void

const navigate: Navigate = ({ replace = false, ...target }) => goTo(hrefOf(target), { replace })
export const useNavigate = (): Navigate => navigate

/** That of the page which is shown. */
export const PlaceContext = createContext<Place>(placeOf('/'))
export const useParams = (): Partial<Readonly<Record<NameIn<Pattern>, string>>> => use(PlaceContext).params
export const useSearch = (): URLSearchParams => new URLSearchParams(use(PlaceContext).search)

export type LinkProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> &
  Target & { readonly replace?: boolean; readonly ref?: Ref<HTMLAnchorElement> }

/** A link within the page. Where it leads to is loaded as soon as it is pointed at; the one to here says `data-status=active`. */
export function Link({ to, params, search, replace = false, onClick, children, ...props }: LinkProps) {
  const href = hrefOf({ to, params, search } as Target)
  const isHere = useValue(place).path === href.split('?')[0]
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (!isPlain || event.defaultPrevented) return
    event.preventDefault()
    goTo(href, { replace })
  }
  const load = () => void preload.get()(to)
  return (
    <a
      aria-current={isHere ? 'page' : undefined}
      data-status={isHere ? 'active' : undefined}
      {...props}
      href={href}
      onClick={follow}
      onPointerEnter={load}
      onFocus={load}
    >
      {children}
    </a>
  )
}

/** How a page is loaded before it is opened: pages.tsx knows. */
export const preload = createValue<(pattern: Pattern) => unknown>(() => {})
