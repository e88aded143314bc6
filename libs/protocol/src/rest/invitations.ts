/** Invitations: codes by which others may register. Everybody’s own, where people may invite, and those of operators. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { answered, ById, closed, done, listOf, named, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'
import { invitationLifeMsMax, operatorInvitationUsesMax } from './words.ts'

const fields = {
  id: Uuid,
  user: Type.With(Uuid, { description: 'Who made it.' }),
  byOperator: Type.Boolean(),
  uses: Type.Integer({ minimum: 1, description: 'How many may register by it.' }),
  used: Type.Integer({ minimum: 0, description: 'How many have.' }),
  createdAt: At,
  expiresAt: At,
}
export const Invitation = named('Invitation', Type.Object(fields, closed))
export type Invitation = Type.Static<typeof Invitation>
const NewInvitation = named(
  'NewInvitation',
  Type.Object({ ...fields, code: Type.String({ description: 'To hand on. Shown this once.' }) }, closed),
)
const InvitationPage = Type.Object({ invitations: listOf(Invitation), next: Type.Optional(PageCursor) }, closed)

const Wanted = Type.Object(
  {
    uses: Type.Optional(
      Type.Integer({ minimum: 1, maximum: operatorInvitationUsesMax, description: '1 when left out.' }),
    ),
    lifeMs: Type.Optional(
      Type.Integer({ minimum: 60_000, maximum: invitationLifeMsMax, description: 'How long it is good.' }),
    ),
  },
  closed,
)

/** What the two groups of routes have in common. */
const make = { body: Wanted, answers: { 201: answered('The invitation, with its code.', NewInvitation) } }
const list = {
  query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
  answers: { 200: answered('A page of invitations.', InvitationPage) },
}
const revoke = {
  description: 'Nobody registers by it any more; whoever has, stays.',
  params: ById,
  answers: done(),
  refusals: ['invitation_unknown'],
} as const
const made = 'A code that lets others register, unless the deployment takes nobody.'
const listed = 'The latest first, until they expire.'

export const invitations = routes('people', 'session', {
  makeInvitation: {
    at: 'POST /v1/invitations',
    summary: 'Make an invitation',
    description: `${made} Where people may invite; otherwise operators alone do.`,
    refusals: ['operators_only', 'too_many'],
    ...make,
  },
  listInvitations: {
    at: 'GET /v1/invitations',
    summary: 'List invitations',
    description: `The caller’s own. ${listed}`,
    ...list,
  },
  revokeInvitation: { at: 'DELETE /v1/invitations/{id}', summary: 'Revoke an invitation', ...revoke },
})

export const operatorInvitations = routes('operators', 'operator', {
  makeInvitationAsOperator: {
    at: 'POST /v1/operator/invitations',
    summary: 'Make an invitation as an operator',
    description: `${made} Good for as many as 10,000.`,
    refusals: ['too_many'],
    ...make,
  },
  listInvitationsAsOperator: {
    at: 'GET /v1/operator/invitations',
    summary: 'List invitations as an operator',
    description: `Everybody’s. ${listed}`,
    ...list,
  },
  revokeInvitationAsOperator: {
    at: 'DELETE /v1/operator/invitations/{id}',
    summary: 'Revoke an invitation as an operator',
    ...revoke,
  },
})
