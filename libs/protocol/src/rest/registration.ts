/** Registration rules: who may register, and the check that registering requires. */
import { Type } from 'typebox'
import { answered, closed, listOf, named, oneOf } from './fields.ts'
import { routes } from './route.ts'
import { registrationChecks, registrationModes } from './words.ts'

export const RegistrationRules = named(
  'RegistrationRules',
  Type.Object(
    {
      mode: oneOf(registrationModes),
      domains: Type.Optional(listOf(Type.String())),
      check: oneOf(registrationChecks),
      captchaSiteKey: Type.Optional(Type.String({ description: 'For the captcha’s script.' })),
    },
    {
      ...closed,
      description:
        'Who may register: everyone (`open`), users with a verified address in one of `domains` or an invitation (`domain`), users with an invitation (`invitation`), or nobody (`closed`). And what registering requires: nothing, a proof of work, or a captcha.',
    },
  ),
)
export type RegistrationRules = Type.Static<typeof RegistrationRules>

/** A proof-of-work challenge. */
export const Work = named(
  'Work',
  Type.Object(
    {
      challenge: Type.String(),
      bits: Type.Integer({ minimum: 1, description: 'The number of leading zero bits.' }),
      expiresInMs: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
)
export type Work = Type.Static<typeof Work>

/** A solved proof of work or captcha. */
export const Check = Type.Union(
  [
    Type.Object(
      {
        challenge: Type.String({ maxLength: 200, description: 'From `POST /v1/registration/work`.' }),
        solution: Type.String({
          maxLength: 64,
          description: 'A text such that SHA-256(`challenge.solution`) begins with the required zero bits.',
        }),
      },
      closed,
    ),
    Type.Object(
      { captcha: Type.String({ minLength: 1, maxLength: 4_096, description: 'The captcha token.' }) },
      closed,
    ),
  ],
  { description: 'The check that `GET /v1/registration` requires. Valid once.' },
)
export type Check = Type.Static<typeof Check>

export const registration = routes('people', 'nothing', {
  getRegistrationRules: {
    at: 'GET /v1/registration',
    summary: 'Get the registration rules',
    description: 'Who may register, and whether `check` is required.',
    answers: { 200: answered('The rules.', RegistrationRules) },
  },
  createProofOfWork: {
    at: 'POST /v1/registration/work',
    summary: 'Create a proof-of-work challenge',
    description:
      'Find a text such that the SHA-256 of the challenge, a dot and the text begins with `bits` zero bits. Submit both as `check` when registering. Valid once.',
    answers: { 201: answered('The challenge.', Work) },
    refusals: ['route_unknown'],
  },
})
