/** Codes by mail, for those who are not signed in: to prove an address, to sign in, to set a new password. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { answered, ById, closed, Email, named } from './fields.ts'
import { routes } from './route.ts'

export const AskedCode = named(
  'AskedCode',
  Type.Object(
    {
      request: Type.With(Uuid, { description: 'To be shown together with the code.' }),
      lifeMs: Type.Integer({ minimum: 1, description: 'How long the code is good.' }),
      resendAfterMs: Type.Integer({ minimum: 1, description: 'The pause before it can be sent again.' }),
    },
    closed,
  ),
)
export type AskedCode = Type.Static<typeof AskedCode>

/** With room for what is passed over. */
export const codeLengthMax = 64
export const ShownCode = Type.Object(
  {
    request: Uuid,
    code: Type.String({
      minLength: 1,
      maxLength: codeLengthMax,
      description: 'Six digits from the mail. Blanks, hyphens and the script of the digits make no difference.',
    }),
  },
  closed,
)
export type ShownCode = Type.Static<typeof ShownCode>

const Purpose = Type.Union([Type.Literal('register'), Type.Literal('sign-in'), Type.Literal('reset-password')])

export const codes = routes('sign-in', 'nothing', {
  askCode: {
    at: 'POST /v1/codes',
    summary: 'Send a code by mail',
    description:
      'Six digits, to be shown together with `request`. The answer is the same whether or not the address is known. Somebody who registers with an address that already has an account is told so by mail; a sign-in with an address that has none sends nothing. Nor is more sent than a mailbox may get in an hour, whoever asks.',
    body: Type.Object({ email: Email, purpose: Purpose }, closed),
    answers: { 202: answered('The request to show together with the code.', AskedCode) },
    refusals: ['mail_unavailable', 'registration_closed'],
  },
  resendCode: {
    at: 'POST /v1/codes/{id}/resend',
    summary: 'Send another code for the same request',
    description:
      'Only after the pause that the last answer named, which doubles each time. The code before becomes worthless; wrong tries stay counted.',
    params: ById,
    body: Type.Object({}, closed),
    answers: { 202: answered('The request, and the next pause.', AskedCode) },
    refusals: ['mail_unavailable', 'code_invalid', 'too_many'],
  },
})
