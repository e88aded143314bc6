/** The shapes of the REST answers, and of the fields that only REST has. The rest of the vocabulary is the wire's. */
import { At, Cursor, Entry, Epoch, entries, limits, Role, Seq, up, Uuid } from '@flotilla/protocol'
import { type TSchema, type TSchemaOptions, Type } from 'typebox'

const closed = { additionalProperties: false }

/** A list that may be read-only on our side. */
function listOf<T extends TSchema>(schema: T, options: TSchemaOptions = {}) {
  return Type.Immutable(Type.Array(schema, options))
}

/** Gives a shape its name in the OpenAPI document, where it then stands once. */
export function named<T extends TSchema>(title: string, schema: T): T {
  return Type.With(schema, { title }) as unknown as T
}

/** A shape as the answer of a route: the sentence is about the answer, so that the shape stays the same everywhere. */
export function answered<T extends TSchema>(description: string, schema: T): T {
  return Type.With(schema, { [answerDescription]: description }) as unknown as T
}

/** Where @fastify/swagger looks for it. */
export const answerDescription = 'x-response-description'

export const Username = Type.String({ minLength: 1, maxLength: 64, description: 'Upper and lower case are the same.' })
export const Password = Type.String({ minLength: 1, maxLength: 1024 })
export const DisplayName = Type.String({ minLength: 1, maxLength: limits.nameLengthMax })
/** Stricter than the domain in every point, so that nobody is registered and then cannot be signed in. */
export const DeviceName = Type.String({
  pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f]{1,60}$',
  description: 'What the person calls this device, for the list of sign-ins. No control characters.',
})
export const GroupName = Type.String({ minLength: 1, maxLength: limits.nameLengthMax })
export const PageCursor = Type.String({
  minLength: 1,
  maxLength: 256,
  description: '`next` of the page before. Its content is nobody’s business.',
})

export const User = named(
  'User',
  Type.Object({ id: Uuid, username: Type.String(), displayName: Type.String() }, closed),
)

export const SignedIn = named(
  'SignedIn',
  Type.Object(
    {
      user: User,
      session: Uuid,
      accessToken: Type.String({ description: 'For `Authorization: Bearer`.' }),
      accessTokenExpiresInMs: Type.Integer({ minimum: 1 }),
      refreshToken: Type.Optional(
        Type.String({ description: 'Good once. Not here when it was asked for as a cookie.' }),
      ),
    },
    closed,
  ),
)

export const ConnectAnswer = named(
  'Connect',
  Type.Object(
    {
      urls: listOf(Type.Object({ url: Type.String(), region: Type.String() }, closed), {
        minItems: 1,
        description: 'Where to open the socket: the best first, the rest to fall back to.',
      }),
      ticket: Type.String({ description: 'For `?ticket=` of one socket, once.' }),
      ticketExpiresInMs: Type.Integer({ minimum: 1 }),
      protocol: Type.Integer({ minimum: 1, description: 'The version of the socket protocol that is spoken here.' }),
      epoch: Epoch,
    },
    closed,
  ),
)

export const Conversation = named(
  'Conversation',
  Type.Object(
    {
      id: Uuid,
      kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
      name: Type.Optional(Type.String()),
      head: Cursor,
      headAt: At,
      role: Role,
      joinedSeq: Seq,
      deliveredSeq: Cursor,
      readSeq: Cursor,
      unread: Type.Integer({ minimum: 0 }),
      memberCount: Type.Integer({ minimum: 0 }),
      members: Type.Optional(
        listOf(Type.Object({ user: User, role: Role }, closed), {
          description: 'Left out of large groups; page them then.',
        }),
      ),
      lastMessage: Type.Optional(named('MessageNew', entries['message.new'].schema)),
    },
    closed,
  ),
)

export const ConversationPage = Type.Object(
  { conversations: listOf(Conversation), next: Type.Optional(PageCursor) },
  closed,
)

export const MemberPage = Type.Object(
  {
    members: listOf(Type.Object({ user: User, role: Role, deliveredSeq: Cursor, readSeq: Cursor }, closed)),
    next: Type.Optional(Uuid),
  },
  closed,
)

export const Placed = Type.Object(
  { seq: Seq },
  { ...closed, description: 'The change is an entry of the conversation; this is its place.' },
)

export const Posted = up['message.send'].reply

const history = up['history.page'].reply
export const HistoryPage = Type.Object(
  { ...history.properties, entries: Type.Array(named('Entry', Entry)) },
  { ...closed, description: '`from` is the seq of the first entry that the caller may see.' },
)

/** `/:id` in a path. */
export const ById = Type.Object({ id: Uuid }, closed)

/** `?limit=` with its bounds. */
export const pageLimit = (fallback: number, max: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: max, description: `${fallback} when left out.` }))
