/** Sign-in details: the password, the email address, the username. */
import { Type } from 'typebox'
import { CodeRequest, SubmittedCode } from './codes.ts'
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
    summary: 'Reset my password and sign in',
    description: 'Requires a code sent for `reset-password`. Ends all other sessions.',
    headers: CookieHeader,
    body: Type.Object(
      { ...SubmittedCode.properties, password: NewPassword, deviceName: Type.Optional(DeviceName) },
      closed,
    ),
    answers: signInAnswers,
    refusals: ['code_invalid', 'password_weak', 'account_suspended'],
  },
  setPassword: {
    at: 'PUT /v1/me/password',
    summary: 'Set my password',
    description: 'Requires the current password, or recent authentication if there is none. Ends all other sessions.',
    body: Type.Object({ current: Type.Optional(Password), password: NewPassword }, closed),
    answers: done(),
    refusals: ['user_unknown', 'invalid_credentials', 'reauthentication_required', 'password_weak'],
  },
  requestEmailChange: {
    at: 'POST /v1/me/email',
    needs: 'reauthentication',
    summary: 'Send a code to my new email address',
    description: 'Does not reveal whether another account uses the address.',
    body: Type.Object({ email: Email }, closed),
    answers: { 202: answered('The request to submit along with the code.', CodeRequest) },
    refusals: ['mail_disabled'],
  },
  changeEmail: {
    at: 'PUT /v1/me/email',
    summary: 'Change my email address',
    description: 'Requires the code sent to the new address. The previous address is notified.',
    body: SubmittedCode,
    answers: done(),
    refusals: ['code_invalid', 'email_taken'],
  },
  removeEmail: {
    at: 'DELETE /v1/me/email',
    needs: 'reauthentication',
    summary: 'Remove my email address',
    description: 'Refused if it is the only way to sign in.',
    answers: done(),
    refusals: ['user_unknown', 'last_sign_in_method', 'factor_conflict'],
  },
  changeUsername: {
    at: 'PUT /v1/me/username',
    summary: 'Change my username',
    description: 'The previous username, and any that looks like it, stays reserved for a while.',
    body: Type.Object({ username: Username }, closed),
    answers: { 200: answered('The user with the new username.', User) },
    refusals: ['username_taken'],
  },
})
