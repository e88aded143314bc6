/** People: registering, oneself, finding others. */
import { sessions, users } from '@flotilla/chat'
import { Refusal } from '@flotilla/protocol'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { addressOf, take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { ById, DeviceName, DisplayName, Password, SignedIn, User, Username } from '../shapes.ts'
import { answerSignedIn, CookieHeader, deviceNameDefault } from './sessions.ts'

const closed = { additionalProperties: false }

const Registration = Type.Object(
  {
    username: Username,
    password: Password,
    displayName: Type.Optional(DisplayName),
    deviceName: Type.Optional(DeviceName),
  },
  closed,
)

export function userRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate } = deps
  const security = [{ accessToken: [] }]

  app.post(
    '/users',
    {
      schema: {
        operationId: 'register',
        summary: 'Register and sign in',
        tags: ['people'],
        headers: CookieHeader,
        body: Registration,
        response: { 201: SignedIn, ...refusals(...bodyCodes, 'username_taken', 'password_weak') },
      },
    },
    async (request, reply) => {
      await take(deps.counter, `register:${addressOf(request)}`, deps.settings.registrations)
      const { deviceName = deviceNameDefault, ...registration } = request.body
      const user = await users.register(chat, registration)
      const opened = await sessions.open(chat, user.id, deviceName)
      return answerSignedIn(app, deps, request, reply.code(201), { user, ...opened })
    },
  )

  app.get(
    '/me',
    {
      preParsing: authenticate,
      schema: {
        operationId: 'me',
        summary: 'The signed-in person',
        tags: ['people'],
        security,
        response: { 200: User, ...refusals('unauthenticated') },
      },
    },
    async request => oneUser(request.caller.user),
  )

  app.get(
    '/users',
    {
      preParsing: authenticate,
      schema: {
        operationId: 'findUser',
        summary: 'Find a person by name',
        tags: ['people'],
        security,
        querystring: Type.Object({ username: Username }, closed),
        response: { 200: User, ...refusals('unauthenticated', 'user_unknown') },
      },
    },
    async request => users.find(chat, request.query.username),
  )

  app.get(
    '/users/:id',
    {
      preParsing: authenticate,
      schema: {
        operationId: 'getUser',
        summary: 'A person by id',
        tags: ['people'],
        security,
        params: ById,
        response: { 200: User, ...refusals('unauthenticated', 'user_unknown') },
      },
    },
    async request => oneUser(request.params.id),
  )

  async function oneUser(id: string) {
    const [user] = await users.get(chat, [id])
    if (user === undefined) throw new Refusal('user_unknown')
    return user
  }
}
