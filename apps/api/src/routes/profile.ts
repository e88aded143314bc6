/** Oneself: the profile and what one decides about it. And others, by name and by id. */
import { type DirectFrom, directFroms, people, users } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { At } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, DisplayName, named, User, Username, textOf } from '../shapes.ts'

const closed = { additionalProperties: false }
const tags = ['people']
const security = [{ accessToken: [] }]

const About = textOf(limits.aboutLengthMax)

export const Me = named(
  'Me',
  Type.Object(
    {
      ...User.properties,
      about: About,
      email: Type.Union([Type.String(), Type.Null()], {
        description: 'Proved to be the caller’s; shown to nobody else.',
      }),
      hasPassword: Type.Boolean(),
      deleteAfter: Type.Optional(
        Type.With(At, { description: 'When the account will be erased, if that was asked for.' }),
      ),
      createdAt: At,
    },
    closed,
  ),
)

const Profile = named(
  'Profile',
  Type.Object(
    {
      ...User.properties,
      about: About,
      lastSeenAt: Type.Optional(
        Type.With(At, { description: 'When the person was last connected. Only where they show it to the caller.' }),
      ),
      contact: Type.Boolean({ description: 'Whether the two are contacts.' }),
      blocked: Type.Boolean({ description: 'Whether the caller has blocked the person.' }),
    },
    closed,
  ),
)

const audience = (what: string) =>
  Type.Union([Type.Literal('everyone'), Type.Literal('contacts'), Type.Literal('nobody')], {
    description: `To whom ${what}.`,
  })
const Clock = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'Hours and minutes: `22:00`.' })

const settings = {
  lastSeenTo: audience('is shown when one was last connected, and whether one is connected now'),
  readReceiptsTo: audience('is told what one has read'),
  foundByEmailTo: audience('one is shown who searches for one’s exact address'),
  directFrom: Type.Unsafe<DirectFrom | null>(
    Type.Union([...directFroms.map(one => Type.Literal(one)), Type.Null()], {
      description:
        'Who puts one into conversations, direct or group, without asking first: anyone; those one knows (contacts, and whom one has a direct conversation with), while the others ask; nobody, so that all ask; or contacts, while the others may not even ask. Null is whatever the deployment says. A deployment may not allow all of them.',
    }),
  ),
  pushNames: Type.Boolean({ description: 'Whether a push may name people and groups.' }),
  quietHours: Type.Union(
    [
      Type.Object(
        {
          from: Clock,
          until: Clock,
          zone: Type.String({ minLength: 1, maxLength: 64, description: 'An IANA name: `Europe/Amsterdam`.' }),
        },
        closed,
      ),
      Type.Null(),
    ],
    { description: 'No push comes between the two. `until` may be on the next day.' },
  ),
}
const Settings = named('Settings', Type.Object(settings, closed))
const SettingsChange = Type.Partial(Type.Object(settings), closed)

export function profileRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps

  app.get(
    '/me',
    {
      preParsing,
      schema: {
        operationId: 'me',
        summary: 'Read the signed-in person',
        description:
          'The caller’s own profile, with what only they may see: the address, and whether there is a password.',
        tags,
        security,
        response: { 200: answered('The caller’s own profile.', Me), ...refusals('unauthenticated', 'user_unknown') },
      },
    },
    async request => users.me(chat, request.caller.user),
  )

  app.patch(
    '/me',
    {
      preParsing,
      schema: {
        operationId: 'changeProfile',
        summary: 'Change my profile',
        description:
          'Fields that are left out stay as they are. Everybody who knows the person hears of a new name by `user.changed`.',
        tags,
        security,
        body: Type.Object({ displayName: Type.Optional(DisplayName), about: Type.Optional(About) }, closed),
        response: {
          200: answered('The profile after the change.', Me),
          ...refusals(...bodyCodes, 'unauthenticated', 'user_unknown'),
        },
      },
    },
    async request => users.changeProfile(chat, request.caller.user, request.body),
  )

  settingsRoutes(app, deps)

  app.get(
    '/users',
    {
      preParsing,
      schema: {
        operationId: 'findUser',
        summary: 'Find a person by username',
        description:
          'The exact username; upper and lower case are the same. To search by parts of a name, use `GET /v1/people`.',
        tags,
        security,
        querystring: Type.Object({ username: Username }, closed),
        response: { 200: answered('The person.', User), ...refusals('unauthenticated', 'user_unknown') },
      },
    },
    async request => users.find(chat, request.query.username, request.caller.user),
  )

  app.get(
    '/users/:id',
    {
      preParsing,
      schema: {
        operationId: 'getUser',
        summary: 'Read a person by id',
        description:
          'Somebody whom the person has blocked sees the name only: no picture, no text about them, no times.',
        tags,
        security,
        params: ById,
        response: {
          200: answered('The person, as far as the caller may see them.', Profile),
          ...refusals('unauthenticated', 'user_unknown'),
        },
      },
    },
    async request => people.profile(chat, request.caller.user, request.params.id),
  )
}

function settingsRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps

  app.get(
    '/me/settings',
    {
      preParsing,
      schema: {
        operationId: 'settings',
        summary: 'Read my settings',
        description: 'Who sees what, who may write first, and when pushes stay away.',
        tags,
        security,
        response: { 200: answered('All settings.', Settings), ...refusals('unauthenticated', 'user_unknown') },
      },
    },
    async request => users.settings(chat, request.caller.user),
  )

  app.patch(
    '/me/settings',
    {
      preParsing,
      schema: {
        operationId: 'changeSettings',
        summary: 'Change my settings',
        description:
          'Fields that are left out stay as they are. What is hidden disappears from the screens of others at once.',
        tags,
        security,
        body: SettingsChange,
        response: {
          200: answered('All settings after the change.', Settings),
          ...refusals(...bodyCodes, 'unauthenticated', 'user_unknown'),
        },
      },
    },
    async request => users.changeSettings(chat, request.caller.user, request.body),
  )
}
