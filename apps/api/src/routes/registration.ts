/** How one registers here: whom the deployment takes, and what it asks for. */
import { accounts } from '@flotilla/chat'
import { Refusal } from '@flotilla/protocol'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { askForWork, checkKinds } from '../registration-check.ts'
import { refusals } from '../refusals.ts'
import { answered, named } from '../shapes.ts'

const closed = { additionalProperties: false }

const Registration = named(
  'Registration',
  Type.Object(
    {
      mode: Type.Unsafe<accounts.RegistrationMode>(
        Type.Union(accounts.registrationModes.map(one => Type.Literal(one))),
      ),
      domains: Type.Optional(Type.Immutable(Type.Array(Type.String()))),
      check: Type.Unsafe<(typeof checkKinds)[number]>(Type.Union(checkKinds.map(one => Type.Literal(one)))),
      captchaSiteKey: Type.Optional(Type.String({ description: 'For the captcha’s script.' })),
    },
    {
      ...closed,
      description:
        'Who may register: everybody (`open`), those who prove an address in one of `domains` or are invited (`domain`), those who are invited (`invitation`), or nobody (`closed`); and what they must show: nothing, a proof of work, or a captcha.',
    },
  ),
)

const Work = named(
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

export function registrationRoutes(app: Api, deps: RouteDeps): void {
  const { chat, settings } = deps
  const shared = { tags: ['people'] }

  app.get(
    '/registration',
    {
      schema: {
        ...shared,
        operationId: 'readRegistration',
        summary: 'Read how one registers here',
        description: 'Whom the deployment takes, and whether `check` must be shown.',
        response: { 200: answered('The rules.', Registration), ...refusals() },
      },
    },
    async () => {
      const { registration: mode, registrationDomains: domains } = chat.settings
      const { kind: check, captcha } = settings.registrationCheck
      return {
        mode,
        ...(mode === 'domain' ? { domains } : {}),
        check,
        ...(check === 'captcha' && captcha !== undefined ? { captchaSiteKey: captcha.siteKey } : {}),
      }
    },
  )

  app.post(
    '/registration/work',
    {
      schema: {
        ...shared,
        operationId: 'askForWork',
        summary: 'Ask for the work that registering takes',
        description:
          'Find a text such that SHA-256 of the challenge, a dot and the text begins with `bits` zero bits, and show both as `check` when registering. Good once.',
        response: { 201: answered('The work.', Work), ...refusals('route_unknown') },
      },
    },
    async (_request, reply) => {
      if (settings.registrationCheck.kind !== 'work')
        throw new Refusal('route_unknown', 'no proof of work is asked for')
      return reply.code(201).send(askForWork(deps))
    },
  )
}
