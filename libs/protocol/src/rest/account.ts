/** What one signs in by: the password, the address, the username. */
import { Type } from 'typebox'
import { AskedCode, ShownCode } from './codes.ts'
import {
  answered,
  closed,
  CookieHeader,
  DeviceName,
  done,
  Email,
  NewPassword,
  Password,
  User,
  Username,
} from './fields.ts'
import { routes } from './route.ts'
import { signInAnswers } from './sessions.ts'

export const account = routes('account', 'session', {
  resetPassword: {
    at: 'POST /v1/password-resets',
    needs: 'nothing',
    summary: 'Set a new password by a code, and sign in',
    description: 'Takes a code for `reset-password`. All earlier sessions end.',
    headers: CookieHeader,
    body: Type.Object(
      { ...ShownCode.properties, password: NewPassword, deviceName: Type.Optional(DeviceName) },
      closed,
    ),
    answers: signInAnswers,
    refusals: ['code_invalid', 'password_weak', 'account_suspended'],
  },
  setPassword: {
    at: 'PUT /v1/me/password',
    summary: 'Set my password',
    description:
      'With the current password, if there is one; without one, a fresh proof is asked for. All other sessions end.',
    body: Type.Object({ current: Type.Optional(Password), password: NewPassword }, closed),
    answers: done(),
    refusals: ['user_unknown', 'credentials_wrong', 'proof_needed', 'password_weak'],
  },
  askEmail: {
    at: 'POST /v1/me/email',
    needs: 'proof',
    summary: 'Send a code to my new address',
    description: 'Asks for a fresh proof. It does not tell whether another account has the address.',
    body: Type.Object({ email: Email }, closed),
    answers: { 202: answered('The request to show together with the code.', AskedCode) },
    refusals: ['mail_unavailable'],
  },
  changeEmail: {
    at: 'PUT /v1/me/email',
    summary: 'Take a new address, by its code',
    description: 'The previous address is told by mail.',
    body: ShownCode,
    answers: done(),
    refusals: ['code_invalid', 'email_taken'],
  },
  removeEmail: {
    at: 'DELETE /v1/me/email',
    needs: 'proof',
    summary: 'Remove my address',
    description: 'Asks for a fresh proof, and for another way to sign in.',
    answers: done(),
    refusals: ['user_unknown', 'last_way_in', 'factor_conflict'],
  },
  changeUsername: {
    at: 'PUT /v1/me/username',
    summary: 'Change my username',
    description: 'For a time nobody else gets the previous name, nor one that looks like it.',
    body: Type.Object({ username: Username }, closed),
    answers: { 200: answered('The person with the new name.', User) },
    refusals: ['username_taken'],
  },
})
