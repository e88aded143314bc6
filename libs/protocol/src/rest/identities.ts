/** The accounts elsewhere that belong to one’s account here. */
import { Type } from 'typebox'
import { At } from '../fields.ts'
import { answered, closed, done, listOf, named } from './fields.ts'
import { ShownVisit, ProviderName, ReturnTo, Visit } from './providers.ts'
import { routes } from './route.ts'

export const Identity = named(
  'Identity',
  Type.Object(
    {
      provider: Type.String(),
      name: Type.String({ description: 'What one is called there.' }),
      email: Type.Optional(Type.String({ description: 'As the provider last vouched for it.' })),
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
    summary: 'List my accounts elsewhere',
    description: 'With which of the providers the caller can sign in.',
    answers: {
      200: answered('The accounts elsewhere; perhaps none.', Type.Object({ identities: listOf(Identity) }, closed)),
    },
  },
  beginIdentityVisit: {
    at: 'POST /v1/me/identities/visits',
    summary: 'Begin to link an account elsewhere',
    description:
      'Linking asks for a fresh proof; with `prove`, the visit is the proof itself. What it brings back is good in this session only.',
    body: Type.Object(
      {
        provider: ProviderName,
        returnTo: ReturnTo,
        prove: Type.Optional(Type.Boolean({ description: 'The account is linked already, and is the fresh proof.' })),
      },
      closed,
    ),
    answers: { 201: answered('Where to send the browser, and the secret to keep.', Visit) },
    refusals: ['proof_needed', 'provider_unknown', 'provider_failed'],
  },
  linkIdentity: {
    at: 'POST /v1/me/identities',
    summary: 'Link an account elsewhere',
    description: 'Takes the grant that the browser brought back, and the secret of the visit.',
    body: ShownVisit,
    answers: done(),
    refusals: ['identity_refused', 'identity_taken', 'too_many'],
  },
  unlinkIdentity: {
    at: 'DELETE /v1/me/identities/{provider}',
    needs: 'proof',
    summary: 'Unlink an account elsewhere',
    description: 'Asks for a fresh proof, and for another way to sign in.',
    params: Type.Object({ provider: ProviderName }, closed),
    answers: done(),
    refusals: ['identity_unknown', 'last_way_in'],
  },
})
