/** How one registers here: whom the deployment takes, and what it asks for. */
import { Type } from 'typebox'
import { answered, closed, listOf, named, oneOf } from './fields.ts'
import { routes } from './route.ts'
import { registrationChecks, registrationModes } from './words.ts'

export const Registration = named(
  'Registration',
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
        'Who may register: everybody (`open`), those who prove an address in one of `domains` or are invited (`domain`), those who are invited (`invitation`), or nobody (`closed`); and what they must show: nothing, a proof of work, or a captcha.',
    },
  ),
)
export type Registration = Type.Static<typeof Registration>

/** Work that registering takes. */
export const Work = named(
  'Work',
  Type.Object(
    {
      challenge: Type.String(),
      bits: Type.Integer({ minimum: 1, description: 'Zero bits that the hash must begin with.' }),
      lifeMs: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
)
export type Work = Type.Static<typeof Work>

/** What shows that a robot has paid, or that it is none. */
export const Check = Type.Union(
  [
    Type.Object(
      {
        challenge: Type.String({ maxLength: 200, description: 'From `POST /v1/registration/work`.' }),
        solution: Type.String({
          maxLength: 64,
          description: 'SHA-256 of the challenge, a dot and this begins with the zero bits that were asked for.',
        }),
      },
      closed,
    ),
    Type.Object(
      { captcha: Type.String({ minLength: 1, maxLength: 4_096, description: 'The token that the captcha gave.' }) },
      closed,
    ),
  ],
  { description: 'What `GET /v1/registration` says is asked for. Good once.' },
)
export type Check = Type.Static<typeof Check>

export const registration = routes('people', 'nothing', {
  readRegistration: {
    at: 'GET /v1/registration',
    summary: 'Read how one registers here',
    description: 'Whom the deployment takes, and whether `check` must be shown.',
    answers: { 200: answered('The rules.', Registration) },
  },
  askForWork: {
    at: 'POST /v1/registration/work',
    summary: 'Ask for the work that registering takes',
    description:
      'Find a text such that SHA-256 of the challenge, a dot and the text begins with `bits` zero bits, and show both as `check` when registering. Good once.',
    answers: { 201: answered('The work.', Work) },
    refusals: ['route_unknown'],
  },
})
