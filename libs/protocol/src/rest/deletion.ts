/** The end of an account: asked for, taken back. */
import { Type } from 'typebox'
import { At } from '../fields.ts'
import { answered, closed, done } from './fields.ts'
import { routes } from './route.ts'

export const deletion = routes('account', 'session', {
  askDeletion: {
    at: 'PUT /v1/me/deletion',
    needs: 'proof',
    summary: 'Delete my account',
    description:
      'The account is erased at `deleteAfter`; until then, signing in and `DELETE /v1/me/deletion` take it back. All other sessions end now. What the person wrote stays in the conversations of others, without a name. Asking again changes nothing.',
    answers: { 200: answered('When the account is erased.', Type.Object({ deleteAfter: At }, closed)) },
    refusals: ['user_unknown'],
  },
  cancelDeletion: {
    at: 'DELETE /v1/me/deletion',
    summary: 'Keep my account after all',
    description: 'Takes the deletion back. Succeeds too if none was asked for.',
    answers: done('It stays.'),
  },
})
