/** Machine-readable documents: the public keys of access tokens, and the OpenAPI document. */
import { Type } from 'typebox'
import { answered, closed, listOf, named } from './fields.ts'
import { routes } from './route.ts'

const PublicJwk = Type.Object(
  {
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Type.String(),
    kid: Type.String(),
    alg: Type.Literal('EdDSA'),
    use: Type.Literal('sig'),
  },
  closed,
)
const Jwks = named('Jwks', Type.Object({ keys: listOf(PublicJwk) }, closed))

export const keys = routes('service', 'nothing', {
  getJwks: {
    at: 'GET /v1/.well-known/jwks.json',
    summary: 'Get the public keys of access tokens',
    description: 'A JSON Web Key Set for services that verify tokens themselves. Cacheable for five minutes.',
    answers: { 200: answered('The keys, including rotated ones whose tokens are still valid.', Jwks) },
  },
  getOpenApi: {
    at: 'GET /v1/openapi.json',
    summary: 'Get this document',
    description: 'OpenAPI 3.1, as shown at `/docs`.',
    answers: { 200: answered('The document.', Type.Unsafe<object>({ type: 'object', description: 'OpenAPI 3.1' })) },
  },
})
