/** Oneself: the profile and what one decides about it. And others, by name and by id. */
import { Type } from 'typebox'
import { At } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, ById, closed, DisplayName, named, oneOf, textOf, User, Username } from './fields.ts'
import { routes } from './route.ts'
import { audiences, type DirectFrom, directFroms } from './words.ts'

const About = textOf(limits.aboutLengthMax)

/** The signed-in person. */
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
export type Me = Type.Static<typeof Me>

/** A person, as the caller may see them. */
export const Profile = named(
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
export type Profile = Type.Static<typeof Profile>

const audience = (what: string) => oneOf(audiences, { description: `To whom ${what}.` })
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
export const Settings = named('Settings', Type.Object(settings, closed))
export type Settings = Type.Static<typeof Settings>
const SettingsChange = Type.Partial(Type.Object(settings), closed)

export const profile = routes('people', 'session', {
  me: {
    at: 'GET /v1/me',
    summary: 'Read the signed-in person',
    description: 'The caller’s own profile, with what only they may see: the address, and whether there is a password.',
    answers: { 200: answered('The caller’s own profile.', Me) },
    refusals: ['user_unknown'],
  },
  changeProfile: {
    at: 'PATCH /v1/me',
    summary: 'Change my profile',
    description:
      'Fields that are left out stay as they are. Everybody who knows the person hears of a new name by `user.changed`.',
    body: Type.Object({ displayName: Type.Optional(DisplayName), about: Type.Optional(About) }, closed),
    answers: { 200: answered('The profile after the change.', Me) },
    refusals: ['user_unknown'],
  },
  settings: {
    at: 'GET /v1/me/settings',
    summary: 'Read my settings',
    description: 'Who sees what, who may write first, and when pushes stay away.',
    answers: { 200: answered('All settings.', Settings) },
    refusals: ['user_unknown'],
  },
  changeSettings: {
    at: 'PATCH /v1/me/settings',
    summary: 'Change my settings',
    description:
      'Fields that are left out stay as they are. What is hidden disappears from the screens of others at once.',
    body: SettingsChange,
    answers: { 200: answered('All settings after the change.', Settings) },
    refusals: ['user_unknown'],
  },
  findUser: {
    at: 'GET /v1/users',
    summary: 'Find a person by username',
    description:
      'The exact username; upper and lower case are the same. To search by parts of a name, use `GET /v1/people`.',
    query: Type.Object({ username: Username }, closed),
    answers: { 200: answered('The person.', User) },
    refusals: ['user_unknown'],
  },
  getUser: {
    at: 'GET /v1/users/{id}',
    summary: 'Read a person by id',
    description: 'Somebody whom the person has blocked sees the name only: no picture, no text about them, no times.',
    params: ById,
    answers: { 200: answered('The person, as far as the caller may see them.', Profile) },
    refusals: ['user_unknown'],
  },
})
