/** Registration. */
import { Type } from 'typebox'
import { SubmittedCode } from './codes.ts'
import {
  registrationRefusals,
  closed,
  CookieHeader,
  DeviceName,
  DisplayName,
  InvitationCode,
  NewPassword,
  Username,
} from './fields.ts'
import { Check } from './registration.ts'
import { routes } from './route.ts'
import { signInAnswers } from './sessions.ts'

const Registration = Type.Object(
  {
    username: Type.Optional(Username),
    password: Type.Optional(NewPassword),
    email: Type.Optional(
      Type.With(SubmittedCode, { description: 'A code sent for `register`; its address becomes the account’s.' }),
    ),
    displayName: Type.Optional(DisplayName),
    deviceName: Type.Optional(DeviceName),
    invitation: Type.Optional(InvitationCode),
    check: Type.Optional(Check),
  },
  closed,
)

export const users = routes('people', 'nothing', {
  register: {
    at: 'POST /v1/users',
    summary: 'Register and sign in',
    description:
      'A username is enough. Without one, it is derived from the email address or generated. Also opens the first session. See `GET /v1/registration` for who may register and whether `check` is required.',
    headers: CookieHeader,
    body: Registration,
    answers: signInAnswers,
    refusals: [
      ...registrationRefusals,
      'username_taken',
      'email_taken',
      'password_weak',
      'code_invalid',
      'check_required',
    ],
  },
})
