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
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const seq = (name: string) => bigint(name, { mode: 'number' })

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
})

export const sessions = pgTable('sessions', {
  id: uuid('id').primaryKey(),
  userId: uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' }),
  deviceName: text('device_name').notNull(),
  refreshNumber: integer('refresh_number').notNull().default(1),
  refreshedAt: at('refreshed_at').notNull().defaultNow(),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at').notNull(),
  revokedAt: at('revoked_at'),
})

export const conversations = pgTable('conversations', {
  id: uuid('id').primaryKey(),
  kind: smallint('kind').notNull(),
  name: text('name'),
  headSeq: seq('head_seq').notNull().default(0),
  headAt: at('head_at').notNull().defaultNow(),
  version: integer('version').notNull().default(1),
  memberCount: integer('member_count').notNull().default(0),
  largeSince: at('large_since'),
  directLow: uuid('direct_low'),
  directHigh: uuid('direct_high'),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const members = pgTable(
  'members',
  {
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: smallint('role').notNull(),
    joinedSeq: seq('joined_seq').notNull(),
    deliveredSeq: seq('delivered_seq').notNull().default(0),
    readSeq: seq('read_seq').notNull().default(0),
    mutedUntil: at('muted_until'),
  },
  table => [primaryKey({ columns: [table.conversationId, table.userId] })],
)

export const dataKeys = pgTable('data_keys', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  masterKeyId: text('master_key_id').notNull(),
  wrapped: bytea('wrapped').notNull(),
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
  },
  table => [primaryKey({ columns: [table.conversationId, table.seq] })],
)

export const offlineMessages = pgTable(
  'offline_messages',
  {
    userId: uuid('user_id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    seq: seq('seq').notNull(),
    day: date('day').notNull().default(sql`current_date`),
  },
  table => [primaryKey({ columns: [table.userId, table.conversationId, table.seq, table.day] })],
)
