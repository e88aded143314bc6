/** Emailed codes for users who are not signed in: to verify an address, sign in, or reset a password. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { answered, ById, closed, Email, named } from './fields.ts'
import { routes } from './route.ts'

export const CodeRequest = named(
  'CodeRequest',
  Type.Object(
    {
      request: Type.With(Uuid, { description: 'Submit it along with the code.' }),
      expiresInMs: Type.Integer({ minimum: 1, description: 'How long the code is valid.' }),
      resendAfterMs: Type.Integer({ minimum: 1, description: 'How long to wait before resending.' }),
    },
    closed,
  ),
)
export type CodeRequest = Type.Static<typeof CodeRequest>

/** Leaves room for characters that are ignored. */
export const codeLengthMax = 64
export const SubmittedCode = Type.Object(
  {
    request: Uuid,
    code: Type.String({
      minLength: 1,
      maxLength: codeLengthMax,
      description: 'The six digits from the email. Spaces and hyphens are ignored; digits of any script are accepted.',
    }),
  },
  closed,
)
export type SubmittedCode = Type.Static<typeof SubmittedCode>

const Purpose = Type.Union([Type.Literal('register'), Type.Literal('sign-in'), Type.Literal('reset-password')])

export const codes = routes('sign-in', 'nothing', {
  sendCode: {
    at: 'POST /v1/codes',
    summary: 'Send a code by email',
    description:
      'Sends six digits to submit along with `request`. The response does not reveal whether the address is known: registering with a known address sends a notice instead, and signing in with an unknown one sends nothing. Emails per mailbox and hour are limited.',
    body: Type.Object({ email: Email, purpose: Purpose }, closed),
    answers: { 202: answered('The request to submit along with the code.', CodeRequest) },
    refusals: ['mail_disabled', 'registration_closed'],
  },
  resendCode: {
    at: 'POST /v1/codes/{id}/resend',
    summary: 'Resend a code',
    description:
      'Wait for `resendAfterMs` first; it doubles each time. Invalidates the previous code. Failed attempts stay counted.',
    params: ById,
    body: Type.Object({}, closed),
    answers: { 202: answered('The request and the next waiting time.', CodeRequest) },
    refusals: ['mail_disabled', 'code_invalid', 'limit_reached'],
  },
})
