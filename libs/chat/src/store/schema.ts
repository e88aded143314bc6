/**
 * The tables as drizzle sees them: types and queries. The migrations are the truth (drizzle knows no partitions);
 * catalog.pg.test.ts compares the two.
 */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  date,
  foreignKey,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })
const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const seq = (name: string) => bigint(name, { mode: 'number' })
/** What goes when the person goes. */
const ofUser = (name = 'user_id') =>
  uuid(name)
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })
/** What goes when the conversation goes. */
const ofConversation = () =>
  uuid('conversation_id')
    .notNull()
    .references(() => conversations.id, { onDelete: 'cascade' })

export const store = pgTable('store', {
  one: boolean('one').primaryKey().default(true),
  epoch: integer('epoch').notNull().default(1),
  identity: text('identity').notNull().default(''),
})

export const users = pgTable('users', {
  id: uuid('id').primaryKey(),
  username: text('username').notNull(),
  displayName: text('display_name').notNull(),
  passwordHash: text('password_hash'),
  createdAt: at('created_at').notNull().defaultNow(),
  email: text('email'),
  about: text('about').notNull().default(''),
  avatar: uuid('avatar'),
  searchText: text('search_text').notNull().default(''),
  lastSeenAt: at('last_seen_at'),
  lastSeenVisibility: smallint('last_seen_to').notNull().default(1),
  readReceiptVisibility: smallint('read_receipts_to').notNull().default(1),
  emailDiscoverability: smallint('found_by_email_to').notNull().default(2),
  directFrom: smallint('direct_from'),
  hiddenAt: at('hidden_at'),
  pushNames: boolean('push_names').notNull().default(true),
  quietFrom: smallint('quiet_from'),
  quietUntil: smallint('quiet_until'),
  quietZone: text('quiet_zone'),
  notify: smallint('notify').notNull().default(1),
  emailFactor: boolean('mail_factor').notNull().default(false),
  deleteAfter: at('delete_after'),
  erasedAt: at('erased_at'),
  suspendedUntil: at('suspended_until'),
  securityMailDue: at('security_mail_due'),
})

export const sessions = pgTable('sessions', {
  id: uuid('id').primaryKey(),
  userId: ofUser(),
  deviceName: text('device_name').notNull(),
  refreshNumber: integer('refresh_number').notNull().default(1),
  refreshedAt: at('refreshed_at').notNull().defaultNow(),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at').notNull(),
  revokedAt: at('revoked_at'),
  signInMethod: text('signed_in_by').notNull().default('password'),
  address: text('address').notNull().default(''),
  country: text('country').notNull().default(''),
  agent: text('agent').notNull().default(''),
  seenAt: at('seen_at').notNull().defaultNow(),
  provedAt: at('proved_at').notNull().defaultNow(),
  refreshedBy: bytea('refreshed_by'),
  refreshAttempt: uuid('refresh_attempt'),
})

export const conversations = pgTable('conversations', {
  id: uuid('id').primaryKey(),
  kind: smallint('kind').notNull(),
  name: text('name'),
  headSeq: seq('head_seq').notNull().default(0),
  headAt: at('head_at').notNull().defaultNow(),
  fedSeq: seq('fed_seq').notNull().default(0),
  version: integer('version').notNull().default(1),
  memberCount: integer('member_count').notNull().default(0),
  /** When it grew past the size from which on it is routed by interest. */
  largeSince: at('large_since'),
  timerMs: bigint('timer_ms', { mode: 'number' }),
  directLow: uuid('direct_low'),
  directHigh: uuid('direct_high'),
  createdAt: at('created_at').notNull().defaultNow(),
  description: text('description').notNull().default(''),
  avatar: uuid('avatar'),
  settings: jsonb('settings').notNull().default({}),
})

export const members = pgTable(
  'members',
  {
    conversationId: ofConversation(),
    userId: ofUser(),
    role: smallint('role').notNull(),
    joinedSeq: seq('joined_seq').notNull(),
    deliveredSeq: seq('delivered_seq').notNull().default(0),
    readSeq: seq('read_seq').notNull().default(0),
    mutedUntil: at('muted_until'),
    clearedSeq: seq('cleared_seq').notNull().default(0),
    enteredSeq: seq('entered_seq'),
    notify: smallint('notify'),
    archivedSeq: seq('archived_seq'),
    pinRank: doublePrecision('pin_rank'),
    markedSeq: seq('marked_seq'),
    markedAbove: seq('marked_above'),
    settingsVersion: integer('settings_version').notNull().default(0),
  },
  table => [primaryKey({ columns: [table.conversationId, table.userId] })],
)

/** The two columns that say of whom and in which conversation. */
const placed = {
  conversationId: ofConversation(),
  userId: ofUser(),
}

export const groupSilences = pgTable('group_silences', { ...placed, until: at('until').notNull() }, table => [
  primaryKey({ columns: [table.conversationId, table.userId] }),
])

export const groupBans = pgTable(
  'group_bans',
  {
    ...placed,
    byId: uuid('by_id').references(() => users.id, { onDelete: 'set null' }),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.userId] })],
)

export const joinRequests = pgTable(
  'join_requests',
  {
    ...placed,
    declined: boolean('declined').notNull().default(false),
    changedAt: at('changed_at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.userId] })],
)

export const inviteLinks = pgTable('invite_links', {
  id: uuid('id').primaryKey(),
  conversationId: placed.conversationId,
  tokenHash: bytea('token_hash').notNull(),
  byId: ofUser('by_id'),
  usesMax: integer('uses_max'),
  usedCount: integer('used_count').notNull().default(0),
  approval: boolean('approval').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at').notNull(),
})

export const slowPosts = pgTable(
  'slow_posts',
  {
    userId: uuid('user_id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    clientId: uuid('client_id').notNull(),
    at: at('at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.userId, table.conversationId] })],
)

export const changes = pgTable(
  'changes',
  {
    xid: xid8('xid').notNull().default(sql`pg_current_xact_id()`),
    conversationId: uuid('conversation_id').notNull(),
    seq: seq('seq').notNull(),
    version: integer('version').notNull(),
    users: uuid('users').array().notNull(),
    at: at('at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq] })],
)

export const dataKeys = pgTable('data_keys', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  masterKeyId: text('master_key_id').notNull(),
  wrapped: bytea('wrapped').notNull(),
  cipher: smallint('cipher').notNull().default(0),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const messages = pgTable(
  'messages',
  {
    conversationId: uuid('conversation_id').notNull(),
    seq: seq('seq').notNull(),
    createdAt: at('created_at').notNull(),
    senderId: uuid('sender_id').notNull(),
    clientId: uuid('client_id').notNull(),
    replyTo: seq('reply_to'),
    keyId: integer('key_id').notNull(),
    kind: smallint('kind').notNull(),
    body: bytea('body').notNull(),
    changedSeq: seq('changed_seq'),
    editedAt: at('edited_at'),
    parts: smallint('parts'),
    asideOf: seq('aside_of'),
    removedAt: at('removed_at'),
    expiresAt: at('expires_at'),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq] })],
)

export const threads = pgTable(
  'threads',
  {
    conversationId: ofConversation(),
    rootSeq: seq('root_seq').notNull(),
    replies: integer('replies').notNull(),
    lastSeq: seq('last_seq').notNull(),
    movedAt: at('moved_at').notNull(),
    changedSeq: seq('changed_seq').notNull(),
    people: uuid('people').array().notNull(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.rootSeq] })],
)

export const threadReplies = pgTable(
  'thread_replies',
  {
    conversationId: ofConversation(),
    rootSeq: seq('root_seq').notNull(),
    seq: seq('seq').notNull(),
    senderId: uuid('sender_id').notNull(),
    aside: boolean('aside').notNull(),
    removed: boolean('removed').notNull().default(false),
  },
  table => [primaryKey({ columns: [table.conversationId, table.rootSeq, table.seq] })],
)

export const threadFollows = pgTable(
  'thread_follows',
  {
    userId: ofUser(),
    conversationId: ofConversation(),
    rootSeq: seq('root_seq').notNull(),
    following: boolean('following').notNull(),
    readSeq: seq('read_seq').notNull(),
  },
  table => [primaryKey({ columns: [table.userId, table.conversationId, table.rootSeq] })],
)

export const polls = pgTable(
  'polls',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    anonymous: boolean('anonymous').notNull(),
    counts: integer('counts').array().notNull(),
    voters: integer('voters').notNull(),
    toldSeq: seq('told_seq').notNull(),
    toldCounts: integer('told_counts').array().notNull(),
    toldVoters: integer('told_voters').notNull(),
    toldAt: at('told_at').notNull(),
    tellDue: at('tell_due'),
    closedSeq: seq('closed_seq'),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq] })],
)

export const pollVotes = pgTable(
  'poll_votes',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    userId: ofUser(),
    options: smallint('options').array(),
    clientIds: uuid('client_ids').array().notNull().default([]),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq, table.userId] })],
)

export const pins = pgTable(
  'pins',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    pinned: boolean('pinned').notNull(),
    changedSeq: seq('changed_seq').notNull(),
    changedBy: uuid('changed_by').notNull(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq] })],
)

export const messageVersions = pgTable(
  'message_versions',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    saidSeq: seq('said_seq').notNull(),
    saidAt: at('said_at').notNull(),
    userId: uuid('user_id').notNull(),
    keyId: integer('key_id').notNull(),
    body: bytea('body').notNull(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq, table.saidSeq] })],
)

export const hiddenMessages = pgTable(
  'hidden_messages',
  {
    conversationId: uuid('conversation_id').notNull(),
    userId: uuid('user_id').notNull(),
    seq: seq('seq').notNull(),
    hiddenAt: at('hidden_at').notNull().defaultNow(),
  },
  table => [
    primaryKey({ columns: [table.conversationId, table.userId, table.seq] }),
    foreignKey({
      columns: [table.conversationId, table.userId],
      foreignColumns: [members.conversationId, members.userId],
    }).onDelete('cascade'),
  ],
)

export const expiringMessages = pgTable(
  'expiring_messages',
  {
    conversationId: uuid('conversation_id').notNull(),
    expiresAt: at('expires_at').notNull(),
    seq: seq('seq').notNull(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.expiresAt, table.seq] })],
)

export const scheduledMessages = pgTable(
  'scheduled_messages',
  {
    userId: ofUser(),
    id: uuid('id').notNull(),
    conversationId: ofConversation(),
    dueAt: at('due_at').notNull(),
    wall: text('wall'),
    zone: text('zone'),
    rules: text('rules'),
    replyTo: seq('reply_to'),
    keyId: integer('key_id').notNull(),
    body: bytea('body').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
    attemptAt: at('attempt_at'),
    attemptCount: integer('attempt_count').notNull().default(0),
    claimedAt: at('claimed_at'),
    failure: text('failure'),
    rootSeq: seq('root_seq'),
    alsoInConversation: boolean('also_in_conversation').notNull().default(false),
  },
  table => [primaryKey({ columns: [table.userId, table.id] })],
)

export const reminders = pgTable(
  'reminders',
  {
    userId: ofUser(),
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    dueAt: at('due_at').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.userId, table.conversationId, table.seq] })],
)

export const reactions = pgTable(
  'reactions',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    userId: uuid('user_id').notNull(),
    emojis: text('emojis').array().notNull(),
    version: integer('version').notNull(),
    changedSeq: seq('changed_seq'),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq, table.userId] })],
)

export const reactionCounts = pgTable(
  'reaction_counts',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    version: integer('version').notNull(),
    emojis: text('emojis').array().notNull(),
    counts: integer('counts').array().notNull(),
    untold: boolean('untold').notNull().default(false),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq] })],
)

export const reactionRounds = pgTable('reaction_rounds', {
  conversationId: uuid('conversation_id')
    .primaryKey()
    .references(() => conversations.id, { onDelete: 'cascade' }),
  lastBy: uuid('last_by').notNull(),
  toldAt: at('told_at').notNull().default(sql`'-infinity'`),
  dueAt: at('due_at'),
})

export const receiptRounds = pgTable('receipt_rounds', {
  conversationId: uuid('conversation_id')
    .primaryKey()
    .references(() => conversations.id, { onDelete: 'cascade' }),
  toldAt: at('told_at').notNull(),
})

export const stars = pgTable(
  'stars',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    userId: ofUser(),
    id: bigint('id', { mode: 'number' }).generatedAlwaysAsIdentity(),
    starredAt: at('starred_at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq, table.userId] })],
)

export const offlineMessages = pgTable(
  'offline_messages',
  {
    userId: uuid('user_id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    seq: seq('seq').notNull(),
    day: date('day').notNull().default(sql`current_date`),
    pushDue: boolean('push_due').notNull().default(true),
  },
  table => [primaryKey({ columns: [table.userId, table.conversationId, table.seq, table.day] })],
)

export const mentions = pgTable(
  'mentions',
  {
    conversationId: ofConversation(),
    seq: seq('seq').notNull(),
    userId: uuid('user_id').notNull(),
    senderId: uuid('sender_id').notNull(),
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq, table.userId] })],
)

export const drafts = pgTable(
  'drafts',
  {
    userId: ofUser(),
    conversationId: ofConversation(),
    thread: seq('thread').notNull().default(0),
    at: at('at').notNull(),
    keyId: integer('key_id'),
    body: bytea('body'),
  },
  table => [primaryKey({ columns: [table.userId, table.conversationId, table.thread] })],
)

export const codes = pgTable('codes', {
  id: uuid('id').primaryKey(),
  purpose: text('purpose').notNull(),
  email: text('email').notNull(),
  userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
  codeMac: bytea('code_mac').notNull(),
  triesLeft: smallint('tries_left').notNull(),
  sentCount: smallint('sent_count').notNull().default(1),
  resendAt: at('resend_at').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at').notNull(),
})

export const challenges = pgTable('challenges', {
  id: uuid('id').primaryKey(),
  kind: text('kind').notNull(),
  userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
  data: jsonb('data').notNull().default({}),
  triesLeft: smallint('tries_left').notNull().default(5),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at').notNull(),
})

export const totpFactors = pgTable('totp_factors', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  keyId: integer('key_id').notNull(),
  secret: bytea('secret').notNull(),
  lastStep: seq('last_step').notNull().default(0),
  createdAt: at('created_at').notNull().defaultNow(),
  confirmedAt: at('confirmed_at'),
})

export const recoveryCodes = pgTable(
  'recovery_codes',
  {
    userId: ofUser(),
    codeHash: bytea('code_hash').notNull(),
    usedAt: at('used_at'),
  },
  table => [primaryKey({ columns: [table.userId, table.codeHash] })],
)

export const passkeys = pgTable('passkeys', {
  id: text('id').primaryKey(),
  userId: ofUser(),
  name: text('name').notNull(),
  publicKey: bytea('public_key').notNull(),
  counter: seq('counter').notNull(),
  transports: text('transports').notNull().default(''),
  synced: boolean('synced').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  usedAt: at('used_at'),
})

export const identities = pgTable(
  'identities',
  {
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    userId: ofUser(),
    provider: text('provider').notNull(),
    name: text('name').notNull().default(''),
    email: text('email'),
    createdAt: at('created_at').notNull().defaultNow(),
    usedAt: at('used_at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.issuer, table.subject] })],
)

export const securityEvents = pgTable('security_events', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  userId: ofUser(),
  kind: text('kind').notNull(),
  at: at('at').notNull().defaultNow(),
  sessionId: uuid('session_id'),
  address: text('address').notNull().default(''),
  country: text('country').notNull().default(''),
  agent: text('agent').notNull().default(''),
  detail: jsonb('detail').notNull().default({}),
  told: boolean('told').notNull().default(false),
  mailDue: at('mail_due'),
})

export const heldNames = pgTable('held_names', {
  nameHash: bytea('name_hash').primaryKey(),
  userId: uuid('user_id').references(() => users.id, { onDelete: 'set null' }),
  freedAt: at('freed_at').notNull().defaultNow(),
})

export const invitations = pgTable('invitations', {
  id: uuid('id').primaryKey(),
  codeHash: bytea('code_hash').notNull(),
  userId: ofUser(),
  byOperator: boolean('by_operator').notNull(),
  usesMax: integer('uses_max').notNull(),
  usedCount: integer('used_count').notNull().default(0),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at').notNull(),
})

export const contacts = pgTable(
  'contacts',
  {
    userId: ofUser(),
    contactId: ofUser('contact_id'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.userId, table.contactId] })],
)

export const contactRequests = pgTable('contact_requests', {
  id: uuid('id').primaryKey(),
  fromId: ofUser('from_id'),
  toId: ofUser('to_id'),
  note: text('note').notNull().default(''),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const conversationRequests = pgTable('conversation_requests', {
  id: uuid('id').primaryKey(),
  conversationId: ofConversation(),
  userId: ofUser(),
  fromId: uuid('from_id').references(() => users.id, { onDelete: 'cascade' }),
  state: smallint('state').notNull(),
  changedAt: at('changed_at').notNull().defaultNow(),
})

export const blocks = pgTable(
  'blocks',
  {
    userId: ofUser(),
    blockedId: ofUser('blocked_id'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  table => [primaryKey({ columns: [table.userId, table.blockedId] })],
)

export const reports = pgTable('reports', {
  id: uuid('id').primaryKey(),
  reporterId: uuid('reporter_id').references(() => users.id, { onDelete: 'set null' }),
  userId: ofUser(),
  conversationId: uuid('conversation_id'),
  seq: seq('seq'),
  reason: text('reason').notNull(),
  comment: text('comment').notNull().default(''),
  keyId: integer('key_id'),
  body: bytea('body'),
  createdAt: at('created_at').notNull().defaultNow(),
  decision: text('decision'),
  decisionNote: text('decision_note').notNull().default(''),
  decidedAt: at('decided_at'),
  decidedBy: uuid('decided_by'),
})

export const heldBack = pgTable(
  'held_back',
  {
    kind: text('kind').notNull(),
    key: bytea('key').notNull(),
    userId: ofUser(),
  },
  table => [primaryKey({ columns: [table.kind, table.key, table.userId] })],
)

export const operatorActions = pgTable('operator_actions', {
  id: uuid('id').primaryKey(),
  at: at('at').notNull().defaultNow(),
  operatorId: uuid('operator_id'),
  program: text('program').notNull().default(''),
  action: text('action').notNull(),
  userId: uuid('user_id'),
  conversationId: uuid('conversation_id'),
  seq: seq('seq'),
  reason: text('reason').notNull(),
  detail: jsonb('detail').notNull().default({}),
})

export const devices = pgTable('devices', {
  id: uuid('id').primaryKey(),
  userId: ofUser(),
  sessionId: uuid('session_id')
    .notNull()
    .references(() => sessions.id, { onDelete: 'cascade' }),
  name: text('name').notNull(),
  platform: text('platform').notNull(),
  provider: text('provider').notNull(),
  token: text('token').notNull(),
  webKeys: jsonb('web_keys'),
  tokenHash: bytea('token_hash').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  seenAt: at('seen_at').notNull().defaultNow(),
})

export const notifications = pgTable('notifications', {
  id: uuid('id').primaryKey(),
  userId: ofUser(),
  kind: text('kind').notNull(),
  dedup: text('dedup').notNull(),
  at: at('at').notNull().defaultNow(),
  actorId: uuid('actor_id'),
  conversationId: uuid('conversation_id'),
  seq: seq('seq'),
  detail: jsonb('detail').notNull().default({}),
  readAt: at('read_at'),
})

export const pushes = pgTable(
  'pushes',
  {
    userId: ofUser(),
    conversationId: ofConversation(),
    fromSeq: seq('from_seq').notNull(),
    uptoSeq: seq('upto_seq').notNull(),
    firstAt: at('first_at').notNull().defaultNow(),
    dueAt: at('due_at'),
    pushedAt: at('pushed_at'),
  },
  table => [primaryKey({ columns: [table.userId, table.conversationId] })],
)

export const pushDeliveries = pgTable('push_deliveries', {
  id: uuid('id').primaryKey(),
  userId: ofUser(),
  conversationId: uuid('conversation_id').notNull(),
  deviceId: uuid('device_id').notNull(),
  provider: text('provider').notNull(),
  fromSeq: seq('from_seq').notNull(),
  uptoSeq: seq('upto_seq').notNull(),
  messageAt: at('message_at').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  state: text('state').notNull(),
  attempts: jsonb('attempts').notNull().default([]),
  attemptCount: smallint('attempt_count').notNull().default(0),
  dueAt: at('due_at'),
  claimedUntil: at('claimed_until'),
  finishedAt: at('finished_at'),
})

export const jobs = pgTable('jobs', {
  id: uuid('id').primaryKey(),
  kind: text('kind').notNull(),
  keyId: integer('key_id').notNull(),
  body: bytea('body').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  dueAt: at('due_at').notNull().defaultNow(),
  attemptCount: smallint('attempt_count').notNull().default(0),
  error: text('error'),
  deadAt: at('dead_at'),
})

export const uploads = pgTable('uploads', {
  id: uuid('id').primaryKey(),
  userId: ofUser(),
  purpose: text('purpose').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at').notNull(),
})

export const feedNotes = pgTable('feed_notes', {
  place: seq('place').primaryKey().default(sql`nextval('feed_places')`),
  at: at('at').notNull().defaultNow(),
  entries: integer('entries').notNull(),
  conversations: uuid('conversations').array().notNull(),
  afters: seq('afters').array().notNull(),
  counts: integer('counts').array().notNull(),
})

export const feedPositions = pgTable(
  'feed_positions',
  {
    consumer: text('consumer').notNull(),
    part: smallint('part').notNull(),
    place: seq('place').notNull().default(0),
    fence: seq('fence').notNull().default(0),
    leasedUntil: at('leased_until').notNull().default(sql`'-infinity'`),
  },
  table => [primaryKey({ columns: [table.consumer, table.part] })],
)

export const entryCounts = pgTable(
  'entry_counts',
  {
    day: date('day').notNull(),
    kind: smallint('kind').notNull(),
    entries: seq('entries').notNull(),
  },
  table => [primaryKey({ columns: [table.day, table.kind] })],
)
