/** What machines read: the public keys of the access tokens, and the OpenAPI document. */
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { refusals } from '../refusals.ts'
import { answered, named } from '../shapes.ts'

const PublicJwk = Type.Object(
  {
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Type.String(),
    kid: Type.String(),
    alg: Type.Literal('EdDSA'),
    use: Type.Literal('sig'),
  },
  { additionalProperties: false },
)
const Jwks = named('Jwks', Type.Object({ keys: Type.Array(PublicJwk) }, { additionalProperties: false }))

/** Others may hold on to the keys for so long; a key is published at least that long before it signs. */
const jwksCacheSeconds = 300

export function keyRoutes(app: Api, deps: RouteDeps): void {
  const keys = deps.keys.token.map(key => key.publicJwk)
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        operationId: 'jwks',
        summary: 'Read the public keys of the access tokens',
        description:
          'As a JSON Web Key Set, for services that verify tokens themselves. It may be cached for five minutes.',
        tags: ['service'],
        response: {
          200: answered('The keys, also those of tokens that are still valid after a rotation.', Jwks),
          ...refusals(),
        },
      },
    },
    async (_request, reply) => reply.header('cache-control', `public, max-age=${jwksCacheSeconds}`).send({ keys }),
  )
  // Making it takes a fifth of a second, in which nobody else is answered: it is made before anybody asks.
  let document: string | undefined
  const render = () => (document ??= JSON.stringify(app.swagger()))
  app.addHook('onListen', async () => void render())
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'openapi',
        summary: 'Read this document',
        description: 'OpenAPI 3.1. The page at `/docs` shows it.',
        tags: ['service'],
        response: {
          200: answered('The document.', Type.Unsafe<object>({ type: 'object', description: 'OpenAPI 3.1' })),
          ...refusals(),
        },
      },
    },
    async (_request, reply) => reply.type('application/json; charset=utf-8').send(render() as unknown as object),
  )
}
