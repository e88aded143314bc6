/** In SQL: what waits for a person $1 in a conversation of theirs. */
import { countedKinds } from '../rules.ts'
import { notHidden } from '../messages/hidden.ts'
import { mentionsOf } from '../messages/mentions.ts'
import { notifyText } from './notify.ts'
import { archivedText, unreadFromText } from './settings.ts'

/** A count beyond it is shown as `999+` anyway, and must not cost the reading of a whole log. */
const unreadMax = 1_000

/** The messages `x` of others than $1 that wait in a conversation, from its columns `first` and `head_seq` on. */
export const unreadOf = (at: string) =>
  `x.kind IN (${countedKinds}) AND x.sender_id <> $1 AND x.aside_of IS NULL AND x.removed_at IS NULL AND (x.expires_at IS NULL OR x.expires_at > now())
   AND x.seq BETWEEN ${at}.first AND ${at}.head_seq AND ${notHidden('x', '$1')}`

/** Both counts of a conversation `w` with the columns `id`, `first` and `head_seq`. */
export const countsOf = (at: string) => `
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS unread FROM (
        SELECT FROM messages x WHERE x.conversation_id = ${at}.id AND ${unreadOf(at)} LIMIT ${unreadMax}
      ) others
    ) unread
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS mentions FROM (
        SELECT DISTINCT x.seq FROM mentions x WHERE ${mentionsOf(`${at}.id`)} AND x.seq BETWEEN ${at}.first AND ${at}.head_seq LIMIT ${unreadMax}
      ) mentioned
    ) mentions`

/** Conversations of $1 in which something may wait: of most people's most nothing has come since they read. */
export const waitingText = `
SELECT c.id, c.head_seq, m.marked_seq, ${unreadFromText} AS first, ${notifyText} AS notify, ${archivedText} AS archived
  FROM members m JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.user_id
 WHERE m.user_id = $1 AND (m.read_seq < c.head_seq OR m.marked_seq IS NOT NULL)`
