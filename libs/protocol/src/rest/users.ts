/** People: registering. */
import { Type } from 'typebox'
import { ShownCode } from './codes.ts'
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
      Type.With(ShownCode, { description: 'A code for `register`: its address becomes that of the account.' }),
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
      'A username alone is enough. Without one, the name is made from the address, or at random. Registering also opens the first session. `GET /v1/registration` says whom the deployment takes, and whether `check` must be shown.',
    headers: CookieHeader,
    body: Registration,
    answers: signInAnswers,
    refusals: [
      ...registrationRefusals,
      'username_taken',
      'email_taken',
      'password_weak',
      'code_invalid',
      'check_needed',
    ],
  },
})
