/** The vocabulary of fields that commands, replies and events are made of. */
import { Type } from 'typebox'
import { limits } from './limits.ts'

export const Uuid = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'A lowercase UUID.',
})

export const Seq = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The sequence number of an entry in its conversation, from 1.',
})
export const Cursor = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The highest seq up to which nothing is missing; 0 for none.',
})
export const At = Type.Integer({ description: 'Milliseconds since 1970-01-01 UTC, by the database clock.' })
export const ReplyBytes = Type.Integer({
  minimum: limits.replyBytesMin,
  maximum: limits.replyBytesMax,
  description: 'The maximum size of the reply, for clients on slow connections. One entry always fits.',
})
export const Epoch = Type.Integer({
  minimum: 1,
  description: 'Changes when the database is restored from a backup. Cursors of another epoch are meaningless.',
})

/** A user, as others see them. */
export const User = Type.Object(
  {
    id: Uuid,
    username: Type.String(),
    displayName: Type.String(),
    avatar: Type.Union([Uuid, Type.Null()], {
      description: 'The avatar is at /v1/avatars/{avatar}/{64, 256 or 640}. A new avatar has a new id.',
    }),
  },
  { additionalProperties: false },
)
export type User = Type.Static<typeof User>

export const Role = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('member')])
export type Role = Type.Static<typeof Role>

/** What members of a group may do by their role, and what of it is let through first, when nobody has said otherwise. */
const permitted = (what: string) => Type.With(Role, { description: `The lowest role that can ${what}.` })
export const Permissions = Type.Object(
  {
    post: permitted('post and edit messages. `admin` makes an announcement group'),
    addMembers: permitted('add members, create invite links and answer join requests'),
    pin: permitted('pin messages'),
    mentionEveryone: permitted('mention everyone'),
    edit: permitted('change the name, description, avatar and timer'),
  },
  { additionalProperties: false },
)
export type Permissions = Type.Static<typeof Permissions>

const windowTo = (what: string) =>
  Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
    description: `For how long ${what}, in milliseconds from its posting. 0 is never. Null means as long as the deployment allows, which a group cannot exceed.`,
  })

/** What a group is set to, beside its name. */
export const groupFields = {
  description: Type.String({ maxLength: limits.descriptionLengthMax, description: 'May be empty.' }),
  avatar: Type.Union([Uuid, Type.Null()], {
    description: 'See GET /v1/avatars/{id}/{size}. Every avatar has its own id.',
  }),
  permissions: Permissions,
  slowModeMs: Type.Integer({
    minimum: 0,
    maximum: limits.slowModeMsMax,
    description:
      'The minimum time between two messages of one member, except owners and admins. 0 turns slow mode off.',
  }),
  newcomerHistory: Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
    description: 'How many earlier entries new members see. Null means all.',
  }),
  forwarding: Type.Boolean({ description: 'Whether messages can be forwarded out of the group.' }),
  editWindowMs: windowTo('senders can edit a message'),
  deleteWindowMs: windowTo('senders, except owners and admins, can delete a message for everyone'),
  editHistory: Type.Boolean({
    description: 'Whether members can read what messages said before they were edited, where the deployment keeps it.',
  }),
}
export type GroupSettings = Type.Static<Type.TObject<typeof groupFields>>

export const Mentions = Type.Array(Uuid, {
  maxItems: limits.mentionsMax,
  uniqueItems: true,
  description: 'The mentioned users. Users who are not other members are ignored.',
})
const MentionsAll = Type.Literal(true, {
  description: 'Mentions all other members. In large groups only owners and admins may do this.',
})

export const TextBody = Type.Object(
  {
    type: Type.Optional(Type.Literal('text', { description: 'The default if no type is given.' })),
    text: Type.String({
      minLength: 1,
      maxLength: limits.textLengthMax,
      description: 'Text with a small mark-up, never HTML. Must contain something visible.',
    }),
    data: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          'Application-defined JSON, delivered unchanged. Values that would not survive a round trip are refused: numbers that a double cannot hold, such as integers beyond 2^53, -0 and 1e400; duplicate keys; the key `__proto__`; unpaired surrogates; U+0000.',
      }),
    ),
    mentions: Type.Optional(Mentions),
    mentionsAll: Type.Optional(MentionsAll),
  },
  { additionalProperties: false },
)
export type TextBody = Type.Static<typeof TextBody>

const fallback = 'A plain-text rendering, for clients that do not know the type.'
const Fallback = Type.String({
  minLength: 1,
  maxLength: limits.fallbackLengthMax,
  description: `${fallback} Must contain something visible.`,
})
const Line = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description })

/** A place on the earth (WGS 84). */
export const LocationBody = Type.Object(
  {
    type: Type.Literal('location'),
    latitude: Type.Number({ minimum: -90, maximum: 90, description: 'Degrees north.' }),
    longitude: Type.Number({ minimum: -180, maximum: 180, description: 'Degrees east.' }),
    accuracyM: Type.Optional(
      Type.Number({ minimum: 0, maximum: limits.accuracyMMax, description: 'The radius of uncertainty, in metres.' }),
    ),
    name: Type.Optional(Line(limits.nameLengthMax, 'The name of the place, on one line.')),
    address: Type.Optional(Line(limits.placeAddressLengthMax, 'The postal address, on one line.')),
    fallback: Fallback,
  },
  { additionalProperties: false },
)
export type LocationBody = Type.Static<typeof LocationBody>

const ways = { minItems: 1, maxItems: limits.contactWaysMax, uniqueItems: true }

/** How to reach somebody. */
export const ContactBody = Type.Object(
  {
    type: Type.Literal('contact'),
    name: Line(limits.nameLengthMax, 'The name of the person or business, on one line.'),
    organization: Type.Optional(Line(limits.nameLengthMax, 'The organization, on one line.')),
    phones: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[+(]?[0-9][0-9 ()./-]*$',
          maxLength: limits.phoneLengthMax,
          description: 'Digits, optionally with a leading `+`, spaces and separators.',
        }),
        ways,
      ),
    ),
    emails: Type.Optional(
      Type.Array(Type.String({ pattern: '^[^\\s@]+@[^\\s@]+$', maxLength: limits.emailLengthMax }), ways),
    ),
    user: Type.Optional(
      Type.With(Uuid, {
        description:
          'A user of this deployment, as claimed by the sender. The server does not look it up; readers see of the user only what they are allowed to.',
      }),
    ),
    fallback: Fallback,
  },
  { additionalProperties: false },
)
export type ContactBody = Type.Static<typeof ContactBody>

/** A question to everyone in the conversation. */
export const PollBody = Type.Object(
  {
    type: Type.Literal('poll'),
    question: Type.String({ minLength: 1, maxLength: limits.pollQuestionLengthMax, description: 'Must be visible.' }),
    options: Type.Array(
      Type.String({ minLength: 1, maxLength: limits.pollOptionLengthMax, description: 'Must be visible.' }),
      { minItems: limits.pollOptionsMin, maxItems: limits.pollOptionsMax, uniqueItems: true },
    ),
    multiple: Type.Optional(Type.Boolean({ description: 'Whether users can choose several options.' })),
    anonymous: Type.Optional(
      Type.Boolean({ description: 'Whether votes are secret. Totals are updated within a few seconds.' }),
    ),
    final: Type.Optional(Type.Boolean({ description: 'Whether votes cannot be changed or withdrawn.' })),
    closesAt: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          'When the poll closes: milliseconds since 1970-01-01 UTC, by the clock of the store. Without it, the poll is open until someone closes it.',
      }),
    ),
    fallback: Fallback,
    mentions: Type.Optional(Mentions),
  },
  { additionalProperties: false },
)
export type PollBody = Type.Static<typeof PollBody>

/** What can be posted: one of several types of content, which `type` tells apart. */
export const PostedBody = Type.Union([TextBody, LocationBody, ContactBody, PollBody])
export type PostedBody = Type.Static<typeof PostedBody>

/** Content that this version does not know. Its other fields are passed through. */
const OtherBody = Type.Object(
  {
    type: Type.String({ minLength: 1, description: 'A content type added by a later version.' }),
    fallback: Type.String({ description: fallback }),
    mentions: Type.Optional(Mentions),
    mentionsAll: Type.Optional(MentionsAll),
  },
  { additionalProperties: true },
)

/**
 * What was posted, as it is read. Whoever does not know a type shows its `fallback`, and passes the body on as it is.
 */
export const Body = Type.Union([...PostedBody.anyOf, OtherBody])
export type Body = Type.Static<typeof Body>

/** Who took away what a message said: an operator, its sender, an owner or admin of the group, or its timer. A later version may know more. */
export const Removed = Type.Union([
  Type.Literal('operator'),
  Type.Literal('sender'),
  Type.Literal('admin'),
  Type.Literal('expired'),
])
export type Removed = Type.Static<typeof Removed>

export const Quote = Type.Object(
  {
    seq: Type.With(Seq, { description: 'The seq of the quoted message.' }),
    state: Type.Union([Type.Literal('shown'), Type.Literal('deleted'), Type.Literal('unavailable')], {
      description:
        '`deleted`: the content was removed. `unavailable`: you cannot see the message, because it is from before you joined or you have hidden it.',
    }),
    by: Type.Optional(Type.With(Uuid, { description: 'The sender. Left out if unavailable.' })),
    body: Type.Optional(
      Type.With(Body, {
        description: `The first ${limits.quoteLengthMax} characters or so. Only if shown.`,
      }),
    ),
  },
  { additionalProperties: false },
)
export type Quote = Type.Static<typeof Quote>
/** What people react with (emoji.ts). */
export const Emoji = Type.String({
  minLength: 1,
  maxLength: limits.emojiLengthMax,
  description: 'One emoji that Unicode recommends for interchange, fully qualified: ❤ becomes ❤️.',
})
export const ReactionVersion = Type.Integer({
  minimum: 1,
  description: 'Rises with each change of the reactions to the message: what is said at a lower version is outdated.',
})
export const ReactionCounts = Type.Array(
  Type.Object({ emoji: Emoji, count: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
  { description: 'All reactions to the message, in the order in which they were first used.' },
)
export type ReactionCounts = Type.Static<typeof ReactionCounts>

/** How long messages last that are posted from here on. */
export const TimerMs = Type.Union(
  [Type.Integer({ minimum: limits.timerMsMin, maximum: limits.timerMsMax }), Type.Null()],
  { description: 'How long messages last, in milliseconds from when they were sent. Null turns the timer off.' },
)

export const MemberRef = Type.Object({ user: Uuid, role: Role }, { additionalProperties: false })
export type MemberRef = Type.Static<typeof MemberRef>

export const ConversationHead = Type.Object({ conversation: Uuid, head: Cursor }, { additionalProperties: false })
export type ConversationHead = Type.Static<typeof ConversationHead>

export const ConversationCursor = Type.Object({ conversation: Uuid, seq: Cursor }, { additionalProperties: false })
export type ConversationCursor = Type.Static<typeof ConversationCursor>
