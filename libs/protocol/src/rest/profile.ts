/** The caller's own profile and settings, and other users, by username and by id. */
import { Type } from 'typebox'
import { Notify } from '../down/conversation-settings-changed.ts'
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
        description: 'Verified. Visible only to the caller.',
      }),
      hasPassword: Type.Boolean(),
      deleteAfter: Type.Optional(Type.With(At, { description: 'When the account will be deleted, if requested.' })),
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
        Type.With(At, { description: 'When the user was last connected. Missing if they hide it from the caller.' }),
      ),
      contact: Type.Boolean({ description: 'Whether the user is a contact of the caller.' }),
      blocked: Type.Boolean({ description: 'Whether the caller has blocked the user.' }),
    },
    closed,
  ),
)
export type Profile = Type.Static<typeof Profile>

const audience = (what: string) => oneOf(audiences, { description: `Who can ${what}.` })
const Clock = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'A time of day: `22:00`.' })

const settings = {
  lastSeenVisibility: audience('see when the user was last connected, and whether they are online'),
  readReceiptVisibility: audience('see what the user has read'),
  emailDiscoverability: audience('find the user by their exact email address'),
  directFrom: Type.Unsafe<DirectFrom | null>(
    Type.Union([...directFroms.map(one => Type.Literal(one)), Type.Null()], {
      description:
        'Who can add the user to direct conversations and groups without asking: `anyone`; `known`, that is, contacts and users with an existing direct conversation, while others send a request; `request`, where everyone sends a request; `contacts`, where others cannot even ask. Null uses the default of the deployment, which may not allow every value.',
    }),
  ),
  notify: Type.With(Notify, {
    description:
      'What is pushed and counts towards the badge in conversations without a rule of their own: all messages, mentions, or nothing. In a direct conversation every message counts as a mention.',
  }),
  pushNames: Type.Boolean({ description: 'Whether push notifications may name users and groups.' }),
  quietHours: Type.Union(
    [
      Type.Object(
        {
          from: Clock,
          until: Clock,
          zone: Type.String({ minLength: 1, maxLength: 64, description: 'An IANA time zone: `Europe/Amsterdam`.' }),
        },
        closed,
      ),
      Type.Null(),
    ],
    { description: 'No push notifications between the two. `until` may be on the next day.' },
  ),
}
export const Settings = named('Settings', Type.Object(settings, closed))
export type Settings = Type.Static<typeof Settings>
const SettingsChange = Type.Partial(Type.Object(settings), closed)

export const profile = routes('people', 'session', {
  getProfile: {
    at: 'GET /v1/me',
    summary: 'Get my profile',
    description: 'Includes private fields such as the email address.',
    answers: { 200: answered('The caller’s profile.', Me) },
    refusals: ['user_unknown'],
  },
  changeProfile: {
    at: 'PATCH /v1/me',
    summary: 'Change my profile',
    description: 'Omitted fields stay unchanged. Everyone who knows the user receives `user.changed` for a new name.',
    body: Type.Object({ displayName: Type.Optional(DisplayName), about: Type.Optional(About) }, closed),
    answers: { 200: answered('The updated profile.', Me) },
    refusals: ['user_unknown'],
  },
  getSettings: {
    at: 'GET /v1/me/settings',
    summary: 'Get my settings',
    description: 'Privacy settings and quiet hours.',
    answers: { 200: answered('The settings.', Settings) },
    refusals: ['user_unknown'],
  },
  changeSettings: {
    at: 'PATCH /v1/me/settings',
    summary: 'Change my settings',
    description: 'Omitted fields stay unchanged. Hidden information disappears for other users at once.',
    body: SettingsChange,
    answers: { 200: answered('The updated settings.', Settings) },
    refusals: ['user_unknown'],
  },
  findUser: {
    at: 'GET /v1/users',
    summary: 'Find a user by username',
    description: 'Matches the exact username, case-insensitively. To search by part of a name, use `GET /v1/people`.',
    query: Type.Object({ username: Username }, closed),
    answers: { 200: answered('The user.', User) },
    refusals: ['user_unknown'],
  },
  getUser: {
    at: 'GET /v1/users/{id}',
    summary: 'Get a user by id',
    description: 'A caller whom the user has blocked sees only the name.',
    params: ById,
    answers: { 200: answered('The user, as far as the caller may see them.', Profile) },
    refusals: ['user_unknown'],
  },
})
