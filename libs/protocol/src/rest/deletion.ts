/** Account deletion: request it, cancel it. */
import { Type } from 'typebox'
import { At } from '../fields.ts'
import { answered, closed, done } from './fields.ts'
import { routes } from './route.ts'

export const deletion = routes('account', 'session', {
  requestDeletion: {
    at: 'PUT /v1/me/deletion',
    needs: 'reauthentication',
    summary: 'Delete my account',
    description:
      'Schedules the account for deletion at `deleteAfter`. Until then, sign in and call `DELETE /v1/me/deletion` to cancel. Ends all other sessions. Messages stay in their conversations without the author’s name. Idempotent.',
    answers: { 200: answered('When the account will be deleted.', Type.Object({ deleteAfter: At }, closed)) },
    refusals: ['user_unknown'],
  },
  cancelDeletion: {
    at: 'DELETE /v1/me/deletion',
    summary: 'Cancel the deletion of my account',
    description: 'Succeeds even if no deletion was requested.',
    answers: done('No deletion is scheduled.'),
  },
})
