/** Identities: accounts at sign-in providers that are linked to the caller’s account. */
import { Type } from 'typebox'
import { At } from '../fields.ts'
import { answered, closed, done, listOf, named } from './fields.ts'
import { AuthorizationGrant, ProviderName, ReturnTo, Authorization } from './providers.ts'
import { routes } from './route.ts'

export const Identity = named(
  'Identity',
  Type.Object(
    {
      provider: Type.String(),
      name: Type.String({ description: 'The user’s name at the provider.' }),
      email: Type.Optional(Type.String({ description: 'As last verified by the provider.' })),
      linkedAt: At,
      usedAt: At,
    },
    closed,
  ),
)
export type Identity = Type.Static<typeof Identity>

export const identities = routes('sign-in', 'session', {
  listIdentities: {
    at: 'GET /v1/me/identities',
    summary: 'List my linked identities',
    description: 'The provider accounts that the caller can sign in with.',
    answers: {
      200: answered('The identities; may be empty.', Type.Object({ identities: listOf(Identity) }, closed)),
    },
  },
  beginIdentityAuthorization: {
    at: 'POST /v1/me/identities/authorizations',
    summary: 'Begin linking an identity',
    description:
      'Linking requires recent authentication, unless `reauthenticate` is set: then the flow itself reauthenticates with an identity that is already linked. The grant is valid only in this session.',
    body: Type.Object(
      {
        provider: ProviderName,
        returnTo: ReturnTo,
        reauthenticate: Type.Optional(
          Type.Boolean({ description: 'Reauthenticate with a linked identity instead of linking a new one.' }),
        ),
      },
      closed,
    ),
    answers: { 201: answered('The URL to open and the secret to keep.', Authorization) },
    refusals: ['reauthentication_required', 'provider_unknown', 'provider_failed'],
  },
  linkIdentity: {
    at: 'POST /v1/me/identities',
    summary: 'Link an identity',
    description: 'Requires the grant the browser returned with, and the secret of the authorization.',
    body: AuthorizationGrant,
    answers: done(),
    refusals: ['authorization_failed', 'identity_taken', 'limit_reached'],
  },
  unlinkIdentity: {
    at: 'DELETE /v1/me/identities/{provider}',
    needs: 'reauthentication',
    summary: 'Unlink an identity',
    description: 'Refused if it is the only way to sign in.',
    params: Type.Object({ provider: ProviderName }, closed),
    answers: done(),
    refusals: ['identity_unknown', 'last_sign_in_method'],
  },
})
