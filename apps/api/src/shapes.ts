/** The shapes of the REST answers, and of the fields that only REST has. The rest of the vocabulary is the wire's. */
import { reports } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import {
  At,
  Cursor,
  Entry,
  Epoch,
  entries,
  Role,
  Seq,
  User as UserSchema,
  up,
  Uuid,
  Notification,
  Body,
  ContactRequest,
  ConversationRequest as ConversationRequestSchema,
} from '@flotilla/protocol/schemas'
import { type TSchema, type TSchemaOptions, Type } from 'typebox'

const closed = { additionalProperties: false }

/** A list that may be read-only on our side. */
export function listOf<T extends TSchema>(schema: T, options: TSchemaOptions = {}) {
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

/**
 * Adds to a shape in the document what the domain demands of it beyond that: it can say so in better words than a check of
 * the schema could.
 */
export function saying<T extends TSchema>(keywords: object, schema: T): T {
  return Type.With(schema, { [saidOnly]: keywords }) as unknown as T
}

/** Where openapi.ts looks for it. */
export const saidOnly = 'x-said-only'

/** Blanks at the ends are cut off. */
const edge = '[\\t-\\r \\u00a0\\u2028\\u2029]*'
const withoutControls = {
  pattern: `^${edge}[^\\u0000- \\u007f-\\u00a0\\u2028\\u2029][^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*${edge}$`,
}
const withLines = { pattern: `^${edge}(?:\\r\\n|[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f])*${edge}$` }

/** One line. */
export const nameOf = (lengthMax: number, options: TSchemaOptions = {}) =>
  saying(withoutControls, Type.String({ minLength: 1, maxLength: lengthMax, ...options }))
/** Lines, or nothing. */
export const textOf = (lengthMax: number, options: TSchemaOptions = {}) =>
  saying(withLines, Type.String({ maxLength: lengthMax, ...options }))

export const Username = Type.String({ minLength: 1, maxLength: 64, description: 'Upper and lower case are the same.' })
export const SignInName = Type.String({
  minLength: 1,
  maxLength: 320,
  description: 'The username, or the address of mail instead.',
})
export const Password = Type.String({ minLength: 1, maxLength: 1024 })
/** One that is being set. What is too short is refused as weak, and not as ill-formed. */
export const NewPassword = saying({ minLength: 8, maxLength: 200 }, Password)
export const DisplayName = nameOf(limits.nameLengthMax)
/** Stricter than the domain in every point, so that nobody is registered and then cannot be signed in. */
export const DeviceName = Type.String({
  pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]{1,60}$',
  description:
    'What the person calls this device, for the list of sign-ins. No control characters, no marks of direction.',
})
/** Passed over when it is none, or not of the account. */
export const DeviceToken = Type.String({
  maxLength: 256,
  description: '`device` of an earlier sign-in on this device. Wrong passwords of others then do not keep it waiting.',
})
export const InvitationCode = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'The code of an invitation. Blanks, hyphens and case make no difference.',
})
/** As lax as can be: the domain decides. */
export const Email = Type.String({ minLength: 3, maxLength: 320, description: 'An address of mail.' })
/** With room for what is passed over. */
const codeLengthMax = 64
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
export const FactorCode = Type.String({
  minLength: 1,
  maxLength: codeLengthMax,
  description:
    'Six digits of the authenticator app or of the mail, or a recovery code. Blanks, hyphens and the script of the digits make no difference.',
})
export const GroupName = nameOf(limits.nameLengthMax)
export const PageCursor = Type.String({
  minLength: 1,
  maxLength: 256,
  description:
    '`next` of the page before; missing on the last one. A page may hold fewer than `limit`: it ends where it would grow too large. Its content is nobody’s business.',
})

export const User = named('User', UserSchema)

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
      device: Type.Optional(
        Type.String({
          description:
            'To keep, also after signing out, and to show at the next sign-in. Not here when it is a cookie.',
        }),
      ),
    },
    closed,
  ),
)

export const FactorNeeded = named(
  'FactorNeeded',
  Type.Object(
    {
      secondFactor: Type.Object(
        {
          challenge: Uuid,
          factors: listOf(
            Type.Union(
              (['totp', 'recovery_code', 'email_code', 'passkey', 'password'] as const).map(one => Type.Literal(one)),
            ),
            { minItems: 1, description: 'Any one of these finishes the sign-in.' },
          ),
          lifeMs: Type.Integer({ minimum: 1 }),
        },
        closed,
      ),
    },
    { ...closed, description: 'Not signed in yet: a second factor is asked for.' },
  ),
)

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
      mutedUntil: Type.Optional(At),
      memberCount: Type.Integer({ minimum: 0 }),
      pending: Type.Optional(
        Type.Boolean({
          description:
            'The other has not accepted the direct conversation yet: named among `members`, but not in it, and told nothing but that somebody asks. Few messages may be sent before.',
        }),
      ),
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
    members: listOf(
      Type.Object(
        {
          user: User,
          role: Role,
          deliveredSeq: Type.Optional(
            Type.With(Cursor, {
              description: 'Left out when the person does not show the caller when they are here (`lastSeenTo`).',
            }),
          ),
          readSeq: Type.Optional(
            Type.With(Cursor, { description: 'Left out when the person does not show it to the caller.' }),
          ),
        },
        closed,
      ),
    ),
    next: Type.Optional(Uuid),
  },
  closed,
)

export const Device = named(
  'Device',
  Type.Object(
    {
      id: Uuid,
      name: Type.String(),
      platform: Type.Union([Type.Literal('android'), Type.Literal('ios'), Type.Literal('web')]),
      provider: Type.Union([Type.Literal('fcm'), Type.Literal('webpush')]),
      createdAt: At,
      seenAt: At,
      current: Type.Boolean({ description: 'It belongs to the sign-in that asks.' }),
    },
    closed,
  ),
)

export const NotificationPage = Type.Object(
  { notifications: listOf(named('Notification', Notification)), next: Type.Optional(PageCursor) },
  closed,
)

export const Contact = named('Contact', Type.Object({ user: User, at: At }, closed))
export const ContactPage = Type.Object({ contacts: listOf(Contact), next: Type.Optional(Uuid) }, closed)
export const ContactRequestPage = Type.Object(
  { requests: listOf(named('ContactRequest', ContactRequest)), next: Type.Optional(PageCursor) },
  closed,
)
export const BlockPage = Type.Object(
  { blocks: listOf(Type.Object({ user: User, at: At }, closed)), next: Type.Optional(Uuid) },
  closed,
)

export const ReportReason = Type.Unsafe<reports.ReportReason>(
  Type.Union(reports.reportReasons.map(one => Type.Literal(one))),
)
export const ReportPage = Type.Object(
  {
    reports: listOf(
      named(
        'Report',
        Type.Object(
          {
            id: Uuid,
            at: At,
            reporter: Type.Optional(User),
            user: User,
            reason: ReportReason,
            comment: Type.String(),
            message: Type.Optional(
              Type.Object(
                { conversation: Uuid, seq: Seq, at: At, body: Body },
                { ...closed, description: 'As it was when it was reported.' },
              ),
            ),
          },
          closed,
        ),
      ),
    ),
    next: Type.Optional(PageCursor),
  },
  closed,
)

export const Placed = Type.Object(
  { seq: Seq },
  { ...closed, description: 'The change is an entry of the conversation; this is its place.' },
)

export const Added = Type.Object(
  {
    seq: Type.With(Seq, { description: 'The place of the entry; the head where nobody has joined yet.' }),
    asked: listOf(Uuid, { description: 'Those who are asked first: they join when they accept.' }),
  },
  { ...closed, description: 'Those who let themselves be added have joined.' },
)

export const ConversationRequest = named('ConversationRequest', ConversationRequestSchema)
export const ConversationRequestPage = Type.Object(
  { requests: listOf(ConversationRequest), next: Type.Optional(PageCursor) },
  closed,
)
export const ConversationRequestRead = Type.Object(
  {
    request: ConversationRequest,
    messages: listOf(named('MessageNew', entries['message.new'].schema), {
      description: 'What was said in the direct conversation so far, in order. Of a group nothing is shown.',
    }),
  },
  closed,
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
