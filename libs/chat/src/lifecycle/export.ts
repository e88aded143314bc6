/**
 * All that is stored about a person, for themselves: as files of an archive, each read page by page while it is written,
 * so that it takes no more memory for a long life than for a short one. Every column is named here, so that no secret
 * gets out because a table has got one. Of conversations it is what the person may see today.
 */
import { limits, Refusal } from '@flotilla/protocol'
import { kindOf, requestStates, roleOf } from '../access.ts'
import type { LifecycleContext } from './context.ts'
import { settingsColumns, type SettingsRow, toSettings } from '../log/conversations/settings.ts'
import { list as listDrafts } from '../log/drafts/list.ts'
import { history } from '../log/messages/history.ts'
import { versionsOf } from '../log/messages/versions.ts'
import { list as listScheduled } from '../log/scheduled/list.ts'
import { avatarKey } from '../users/change-avatar.ts'
import { me } from '../users/me.ts'
import { settings } from '../users/settings.ts'

/** One file of the archive: its text, or the key that it is stored under. */
export type ExportPart =
  | { readonly path: string; readonly text: AsyncIterable<string> }
  | { readonly path: string; readonly file: string }

const pageSize = 200
const membersNamedMax = 200
const avatarSize = 640

const person = (alias: string) =>
  `json_build_object('id', ${alias}.id, 'username', ${alias}.username, 'displayName', ${alias}.display_name)`

/** Each row has a `key`, by which the next page goes on, and an `item`. $1: the person, $2: the last key. */
interface List {
  readonly path: string
  readonly keyType: 'uuid' | 'text' | 'bigint'
  readonly key: string
  readonly item: string
  readonly from: string
}

const lists: readonly List[] = [
  {
    path: 'sessions.json',
    keyType: 'uuid',
    key: 's.id',
    item: `'id', s.id, 'deviceName', s.device_name, 'signInMethod', s.signed_in_by, 'address', s.address, 'country', s.country,
      'agent', s.agent, 'createdAt', s.created_at, 'seenAt', s.seen_at, 'expiresAt', s.expires_at, 'endedAt', s.revoked_at`,
    from: 'sessions s WHERE s.user_id = $1',
  },
  {
    path: 'devices.json',
    keyType: 'uuid',
    key: 'd.id',
    item: `'id', d.id, 'name', d.name, 'platform', d.platform, 'provider', d.provider, 'session', d.session_id,
      'createdAt', d.created_at, 'seenAt', d.seen_at`,
    from: 'devices d WHERE d.user_id = $1',
  },
  {
    path: 'identities.json',
    keyType: 'text',
    key: 'i.provider',
    item: `'provider', i.provider, 'issuer', i.issuer, 'subject', i.subject, 'name', i.name, 'email', i.email,
      'createdAt', i.created_at, 'usedAt', i.used_at`,
    from: 'identities i WHERE i.user_id = $1',
  },
  {
    path: 'passkeys.json',
    keyType: 'text',
    key: 'p.id',
    item: `'id', p.id, 'name', p.name, 'synced', p.synced, 'createdAt', p.created_at, 'usedAt', p.used_at`,
    from: 'passkeys p WHERE p.user_id = $1',
  },
  {
    path: 'security-events.json',
    keyType: 'bigint',
    key: 'e.id',
    item: `'id', e.id, 'kind', e.kind, 'at', e.at, 'session', e.session_id, 'address', e.address, 'country', e.country,
      'agent', e.agent, 'detail', e.detail`,
    from: 'security_events e WHERE e.user_id = $1',
  },
  {
    path: 'invitations.json',
    keyType: 'uuid',
    key: 'i.id',
    item: `'id', i.id, 'usesMax', i.uses_max, 'usedCount', i.used_count, 'createdAt', i.created_at, 'expiresAt', i.expires_at`,
    from: 'invitations i WHERE i.user_id = $1',
  },
  {
    path: 'contacts.json',
    keyType: 'uuid',
    key: 'c.contact_id',
    item: `'user', ${person('u')}, 'since', c.created_at`,
    from: 'contacts c JOIN users u ON u.id = c.contact_id WHERE c.user_id = $1',
  },
  {
    path: 'contact-requests.json',
    keyType: 'uuid',
    key: 'r.id',
    item: `'id', r.id, 'from', ${person('f')}, 'to', ${person('t')}, 'note', r.note, 'createdAt', r.created_at`,
    from: `contact_requests r JOIN users f ON f.id = r.from_id JOIN users t ON t.id = r.to_id
      WHERE (r.from_id = $1 OR r.to_id = $1)`,
  },
  {
    path: 'conversation-requests.json',
    keyType: 'uuid',
    key: 'r.id',
    item: `'id', r.id, 'conversation', r.conversation_id, 'name', c.name, 'from', ${person('f')}, 'to', ${person('t')},
      'at', r.changed_at`,
    from: `conversation_requests r JOIN conversations c ON c.id = r.conversation_id
      JOIN users f ON f.id = r.from_id JOIN users t ON t.id = r.user_id
      WHERE (r.from_id = $1 OR (r.user_id = $1 AND r.state = ${requestStates.open}))`,
  },
  {
    path: 'join-requests.json',
    keyType: 'uuid',
    key: 'r.conversation_id',
    item: `'conversation', r.conversation_id, 'name', c.name, 'at', r.changed_at`,
    from: 'join_requests r JOIN conversations c ON c.id = r.conversation_id WHERE r.user_id = $1 AND NOT r.declined',
  },
  {
    path: 'invite-links.json',
    keyType: 'uuid',
    key: 'l.id',
    item: `'id', l.id, 'conversation', l.conversation_id, 'usesMax', l.uses_max, 'usedCount', l.used_count,
      'approval', l.approval, 'createdAt', l.created_at, 'expiresAt', l.expires_at`,
    from: 'invite_links l WHERE l.by_id = $1',
  },
  {
    path: 'group-bans.json',
    keyType: 'uuid',
    key: 'b.conversation_id',
    item: `'conversation', b.conversation_id, 'name', c.name, 'since', b.created_at`,
    from: 'group_bans b JOIN conversations c ON c.id = b.conversation_id WHERE b.user_id = $1',
  },
  {
    path: 'blocks.json',
    keyType: 'uuid',
    key: 'b.blocked_id',
    item: `'user', ${person('u')}, 'since', b.created_at`,
    from: 'blocks b JOIN users u ON u.id = b.blocked_id WHERE b.user_id = $1',
  },
  {
    path: 'reports.json',
    keyType: 'uuid',
    key: 'r.id',
    item: `'id', r.id, 'user', r.user_id, 'conversation', r.conversation_id, 'seq', r.seq, 'reason', r.reason,
      'comment', r.comment, 'createdAt', r.created_at`,
    from: 'reports r WHERE r.reporter_id = $1',
  },
  {
    path: 'reminders.json',
    keyType: 'text',
    key: `(r.conversation_id || '/' || lpad(r.seq::text, 19, '0'))`,
    item: `'conversation', r.conversation_id, 'seq', r.seq, 'at', r.due_at`,
    from: 'reminders r WHERE r.user_id = $1',
  },
  {
    path: 'threads.json',
    keyType: 'text',
    key: `f.conversation_id::text || '/' || f.root_seq`,
    item: `'conversation', f.conversation_id, 'thread', f.root_seq, 'following', f.following, 'readSeq', f.read_seq`,
    from: 'thread_follows f WHERE f.user_id = $1',
  },
  {
    path: 'votes.json',
    keyType: 'text',
    key: `v.conversation_id::text || '/' || v.seq`,
    item: `'conversation', v.conversation_id, 'poll', v.seq, 'options', v.options`,
    from: `poll_votes v WHERE v.user_id = $1`,
  },
  {
    path: 'notifications.json',
    keyType: 'uuid',
    key: 'n.id',
    item: `'id', n.id, 'kind', n.kind, 'at', n.at, 'actor', n.actor_id, 'conversation', n.conversation_id, 'seq', n.seq,
      'detail', n.detail, 'readAt', n.read_at`,
    from: 'notifications n WHERE n.user_id = $1',
  },
  {
    path: 'hidden-messages.json',
    keyType: 'text',
    key: `h.conversation_id || '/' || lpad(h.seq::text, 16, '0')`,
    item: `'conversation', h.conversation_id, 'seq', h.seq, 'at', h.hidden_at`,
    from: 'hidden_messages h WHERE h.user_id = $1',
  },
  {
    path: 'stars.json',
    keyType: 'bigint',
    key: 's.id',
    item: `'conversation', s.conversation_id, 'seq', s.seq, 'at', s.starred_at`,
    from: 'stars s WHERE s.user_id = $1',
  },
]

/** @throws Refusal user_unknown */
export async function* exportOf(ctx: LifecycleContext, user: string): AsyncGenerator<ExportPart> {
  const account = await me(ctx, user)
  yield { path: 'account.json', text: json(account) }
  yield { path: 'settings.json', text: json(await settings(ctx, user)) }
  for (const list of lists) yield { path: list.path, text: array(rowsOf(ctx, user, list)) }
  yield { path: 'scheduled-messages.json', text: array(scheduledOf(ctx, user)) }
  yield { path: 'conversations.json', text: array(conversationsOf(ctx, user)) }
  yield { path: 'drafts.json', text: array(draftsOf(ctx, user)) }
  if (account.avatar !== null) yield { path: 'avatar.webp', file: avatarKey(account.avatar, avatarSize) }
  for await (const ids of conversationIds(ctx, user))
    for (const id of ids) yield { path: `messages/${id}.jsonl`, text: entriesOf(ctx, user, id) }
  yield { path: 'versions.jsonl', text: lines(versionsOf(ctx, user)) }
}

// ── as text ──────────────────────────────────────────────────────────────────────────────────────────────────────────

async function* json(value: object): AsyncGenerator<string> {
  yield `${JSON.stringify(value, undefined, 2)}\n`
}

/** Pages of items as one JSON array, an item a line. */
async function* array(pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  let before = '[\n'
  for await (const page of pages)
    for (const item of page) {
      yield before + JSON.stringify(item)
      before = ',\n'
    }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

async function* lines(pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map(item => `${JSON.stringify(item)}\n`).join('')
}

// ── page by page ─────────────────────────────────────────────────────────────────────────────────────────────────────

async function* rowsOf(ctx: LifecycleContext, user: string, list: List): AsyncGenerator<object[]> {
  const { key, keyType, item, from } = list
  const text = `SELECT ${key}::text AS key, json_build_object(${item}) AS item FROM ${from}
     AND ($2::${keyType} IS NULL OR ${key} > $2::${keyType}) ORDER BY ${key} LIMIT ${pageSize}`
  for (let last: string | undefined; ; ) {
    const { rows } = await ctx.pool.query<{ key: string; item: object }>(text, [user, last])
    yield rows.map(row => row.item)
    if (rows.length < pageSize) return
    last = rows.at(-1)!.key
  }
}

async function* scheduledOf(ctx: LifecycleContext, user: string): AsyncGenerator<readonly object[]> {
  for (let after: string | undefined; ; ) {
    const { scheduled, next } = await listScheduled(ctx, user, { limit: pageSize, after })
    yield scheduled
    if (next === undefined) return
    after = next
  }
}

async function* conversationIds(ctx: LifecycleContext, user: string): AsyncGenerator<string[]> {
  for (let last: string | undefined; ; ) {
    const { rows } = await ctx.pool.query<{ id: string }>(
      `SELECT conversation_id AS id FROM members WHERE user_id = $1 AND ($2::uuid IS NULL OR conversation_id > $2)
        ORDER BY conversation_id LIMIT ${pageSize}`,
      [user, last],
    )
    yield rows.map(row => row.id)
    if (rows.length < pageSize) return
    last = rows.at(-1)!.id
  }
}

interface ConversationRow extends SettingsRow {
  kind: number
  role: number
  item: object
}

/** With the names of the members, so that the entries can be read: they name people by id. */
const conversations = `
SELECT c.kind, m.role, json_build_object('id', c.id, 'name', c.name, 'description', c.description, 'createdAt', c.created_at,
         'head', c.head_seq, 'joinedSeq', m.joined_seq, 'clearedSeq', m.cleared_seq, 'deliveredSeq', m.delivered_seq, 'readSeq', m.read_seq,
         'mutedUntil', m.muted_until,
         'silencedUntil', (SELECT s.until FROM group_silences s WHERE s.conversation_id = c.id AND s.user_id = m.user_id), 'memberCount', c.member_count, 'members', people.list) AS item, ${settingsColumns}
  FROM members m JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.user_id
  CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(${person('u')}), '[]') AS list FROM (
      SELECT u.id, u.username, u.display_name FROM members o JOIN users u ON u.id = o.user_id
       WHERE o.conversation_id = c.id ORDER BY o.user_id LIMIT ${membersNamedMax}
    ) u
  ) people
 WHERE m.user_id = $1 AND m.conversation_id = ANY($2) ORDER BY c.id`

const conversationsAtOnce = 20

async function* conversationsOf(ctx: LifecycleContext, user: string): AsyncGenerator<object[]> {
  for await (const ids of conversationIds(ctx, user))
    for (let from = 0; from < ids.length; from += conversationsAtOnce) {
      const chunk = ids.slice(from, from + conversationsAtOnce)
      const { rows } = await ctx.pool.query<ConversationRow>(conversations, [user, chunk])
      yield rows.map(row => ({
        ...row.item,
        kind: kindOf(row.kind),
        role: roleOf(row.role),
        settings: toSettings(row),
      }))
    }
}

async function* draftsOf(ctx: LifecycleContext, user: string): AsyncGenerator<readonly object[]> {
  for (let after: string | undefined; ; ) {
    const { drafts, next } = await listDrafts(ctx, user, { after })
    yield drafts
    if (next === undefined) return
    after = next
  }
}

/**
 * The entries as they are on the wire, one a line. Whoever is removed meanwhile gets no more of them (P8). What the person
 * has hidden is left out.
 */
async function* entriesOf(ctx: LifecycleContext, user: string, conversation: string): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    try {
      const { entries, more } = await history(ctx, user, { conversation, after, limit: limits.historyPageMax })
      const shown = entries.filter(entry => entry.event !== 'message.hidden')
      yield shown.map(entry => `${JSON.stringify(entry)}\n`).join('')
      if (more !== true) return
      after = entries.at(-1)!.seq
    } catch (error) {
      if (error instanceof Refusal && ['not_a_member', 'conversation_unknown'].includes(error.code)) return
      throw error
    }
  }
}
