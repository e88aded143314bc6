/** Invitations: codes that let others register. Users’ own, where users may invite, and those of operators. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { answered, ById, closed, done, listOf, named, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'
import { invitationLifeMsMax, operatorInvitationUsesMax } from './words.ts'

const fields = {
  id: Uuid,
  user: Type.With(Uuid, { description: 'Who created it.' }),
  byOperator: Type.Boolean(),
  uses: Type.Integer({ minimum: 1, description: 'How many accounts can be registered with it.' }),
  used: Type.Integer({ minimum: 0, description: 'How many have been.' }),
  createdAt: At,
  expiresAt: At,
}
export const Invitation = named('Invitation', Type.Object(fields, closed))
export type Invitation = Type.Static<typeof Invitation>
const NewInvitation = named(
  'NewInvitation',
  Type.Object({ ...fields, code: Type.String({ description: 'The code to share. It is not shown again.' }) }, closed),
)
const InvitationPage = Type.Object({ invitations: listOf(Invitation), next: Type.Optional(PageCursor) }, closed)

const Wanted = Type.Object(
  {
    uses: Type.Optional(
      Type.Integer({ minimum: 1, maximum: operatorInvitationUsesMax, description: 'Defaults to 1.' }),
    ),
    expiresInMs: Type.Optional(
      Type.Integer({ minimum: 60_000, maximum: invitationLifeMsMax, description: 'How long it is valid.' }),
    ),
  },
  closed,
)

/** What the two groups of routes have in common. */
const make = { body: Wanted, answers: { 201: answered('The invitation with its code.', NewInvitation) } }
const list = {
  query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
  answers: { 200: answered('A page of invitations.', InvitationPage) },
}
const revoke = {
  description: 'It can no longer be used. Accounts registered with it remain.',
  params: ById,
  answers: done(),
  refusals: ['invitation_unknown'],
} as const
const made = 'A code that lets others register, unless registration is closed.'
const listed = 'Newest first, until they expire.'

export const invitations = routes('people', 'session', {
  createInvitation: {
    at: 'POST /v1/invitations',
    summary: 'Create an invitation',
    description: `${made} Only operators can invite unless the deployment lets everyone.`,
    refusals: ['operators_only', 'limit_reached'],
    ...make,
  },
  listInvitations: {
    at: 'GET /v1/invitations',
    summary: 'List my invitations',
    description: listed,
    ...list,
  },
  revokeInvitation: { at: 'DELETE /v1/invitations/{id}', summary: 'Revoke an invitation', ...revoke },
})

export const operatorInvitations = routes('operators', 'operator', {
  createInvitationAsOperator: {
    at: 'POST /v1/operator/invitations',
    summary: 'Create an invitation as an operator',
    description: `${made} Up to 10,000 uses.`,
    refusals: ['limit_reached'],
    ...make,
  },
  listInvitationsAsOperator: {
    at: 'GET /v1/operator/invitations',
    summary: 'List all invitations',
    description: listed,
    ...list,
  },
  revokeInvitationAsOperator: {
    at: 'DELETE /v1/operator/invitations/{id}',
    summary: 'Revoke any invitation',
    ...revoke,
  },
})
