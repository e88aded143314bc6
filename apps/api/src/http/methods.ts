/**
 * URLs that are there, but not for the method that was used. Fastify tells only that no route fits; so every route is
 * also entered in a router of this file's own, of the same kind, which can be asked method by method.
 */
import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { Api } from '../app.ts'

/** Those that routes have, in the order in which `Allow` names them. CORS answers OPTIONS for whatever URL. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly HTTPMethod[]

/**
 * @param maxParamLength that of the API's own router
 * @returns the methods that a URL takes; none where there is no such URL
 */
export function collectMethods(app: Api, maxParamLength: number): (url: string) => readonly HTTPMethod[] {
  const router = findMyWay({ maxParamLength })
  app.addHook('onRoute', ({ method, url }) => {
    const taken = methods.filter(one => [method].flat().includes(one))
    if (taken.length > 0) router.on(taken, url, () => {})
  })
  return url => methods.filter(method => router.find(method, pathOf(url)) !== null)
}

const pathOf = (url: string) => url.replace(/[?#].*$/s, '')
