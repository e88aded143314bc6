/** What machines read: the public keys of the access tokens, and the OpenAPI document. */
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
  jwks: {
    at: 'GET /v1/.well-known/jwks.json',
    summary: 'Read the public keys of the access tokens',
    description:
      'As a JSON Web Key Set, for services that verify tokens themselves. It may be cached for five minutes.',
    answers: { 200: answered('The keys, also those of tokens that are still valid after a rotation.', Jwks) },
  },
  openapi: {
    at: 'GET /v1/openapi.json',
    summary: 'Read this document',
    description: 'OpenAPI 3.1. The page at `/docs` shows it.',
    answers: { 200: answered('The document.', Type.Unsafe<object>({ type: 'object', description: 'OpenAPI 3.1' })) },
  },
})
