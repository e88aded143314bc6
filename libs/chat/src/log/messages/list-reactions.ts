import { qualifyEmoji, type Reaction } from '@flotilla/protocol'
import { decodeNumber, type PageOf, type PageWanted, pageMax, toNumberedPage } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { demandMessage } from './target.ts'

export type ReactionPage = PageOf<'reactions', Reaction>

interface Row {
  place: number
  emojis: string[]
  user: Reaction['user']
}

/** The one who reacted last first. */
const page = `
SELECT r.version AS place, r.emojis, json_build_object('id', u.id, 'username', u.username, 'displayName', u.display_name,
         'avatar', CASE WHEN NOT EXISTS (SELECT FROM blocks WHERE user_id = u.id AND blocked_id = $3) THEN u.avatar END) AS user
  FROM reactions r JOIN users u ON u.id = r.user_id
 WHERE r.conversation_id = $1 AND r.seq = $2 AND r.emojis <> '{}' AND ($4::text IS NULL OR $4 = ANY(r.emojis))
   AND ($5::int8 IS NULL OR r.version < $5)
 ORDER BY r.version DESC LIMIT $6`

/**
 * Who has reacted to a message, with what.
 * @param input.emoji only those who have reacted with it
 * @throws Refusal conversation_unknown, not_a_member, message_unknown
 */
export async function listReactions(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly conversation: string; readonly seq: number; readonly emoji?: string | undefined },
): Promise<ReactionPage> {
  const { conversation, seq, emoji, after } = input
  const limit = Math.min(input.limit, pageMax)
  await demandMessage(ctx, by, conversation, seq)
  const found = await ctx.pool.query<Row>({
    name: 'reactions-of-message',
    text: page,
    values: [
      conversation,
      seq,
      by,
      emoji === undefined ? null : (qualifyEmoji(emoji) ?? emoji),
      after === undefined ? null : decodeNumber(after),
      limit + 1,
    ],
  })
  const reactions = found.rows.map(({ user, emojis }) => ({ user, emojis }))
  return toNumberedPage('reactions', found.rows, reactions, limit)
}
