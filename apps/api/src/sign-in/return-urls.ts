/**
 * Where an authorization at a provider may end. What is not named by the operator is refused: whoever could choose the place would
 * have grants sent to themselves.
 */
import { Refusal } from '@flotilla/protocol'

/** @returns a check that gives back the URL as browsers read it, or throws Refusal field_invalid */
export function createReturnCheck(settings: {
  readonly publicUrl: string | undefined
  readonly returnUrls: readonly string[]
}): (returnTo: string) => string {
  const own = settings.publicUrl === undefined ? [] : [new URL(settings.publicUrl).origin]
  const allowed = [...own, ...settings.returnUrls].map(url => new URL(url))
  return returnTo => {
    const url = URL.canParse(returnTo) ? new URL(returnTo) : undefined
    // The fragment is ours, and credentials before the host are a disguise.
    const isPlain = url?.hash === '' && url.username === '' && url.password === '' && !returnTo.includes('#')
    if (url !== undefined && isPlain && allowed.some(one => isBelow(url, one))) return url.href
    throw new Refusal('field_invalid', 'returnTo: not allowed by RETURN_URLS', {
      field: 'returnTo',
      rule: 'one of RETURN_URLS',
    })
  }
}

/** Compared in parts as a browser reads them, never as text: `https://app.example.evil.org` begins like the good one. */
function isBelow(url: URL, allowed: URL): boolean {
  if (url.protocol !== allowed.protocol || url.host !== allowed.host) return false
  const folder = allowed.pathname.replace(/\/$/, '')
  return url.pathname === allowed.pathname || url.pathname === folder || url.pathname.startsWith(`${folder}/`)
}
