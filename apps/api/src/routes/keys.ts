/** What machines read: the public keys of the access tokens, and the OpenAPI document. */
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

/** Others may hold on to the keys for so long; a key is published at least that long before it signs. */
const jwksCacheSeconds = 300

export function keyRoutes(app: Api, deps: RouteDeps): void {
  const keys = deps.keys.token.map(key => key.publicJwk)
  // Making it takes a fifth of a second, in which nobody else is answered: it is made before anybody asks.
  let document: string | undefined
  const render = () => (document ??= JSON.stringify(app.swagger()))
  app.addHook('onListen', async () => void render())

  serve(app, deps, rest.keys, {
    getJwks: async (_request, reply) => {
      reply.header('cache-control', `public, max-age=${jwksCacheSeconds}`)
      return { keys }
    },

    getOpenApi: async (_request, reply) => {
      reply.type('application/json; charset=utf-8')
      return render() as unknown as object
    },
  })
}
