/** Whom a body mentions, as the rows of mentions name them (mentions.ts). */
import { type Body, mentionsAll, mentionsOf as namedBy } from '@flotilla/protocol'

/** Stands for everybody in a row: one is enough, however many they are. */
export const everybody = '00000000-0000-0000-0000-000000000000'

/** Whom a body mentions beside its sender, as rows name them. */
export function mentionedBy(body: Body | undefined, sender: string): readonly string[] {
  if (body === undefined) return nobody
  const [named, isAll] = [namedBy(body), mentionsAll(body)]
  if (named.length === 0 && !isAll) return nobody
  const people = new Set(named)
  people.delete(sender)
  people.delete(everybody)
  return isAll ? [...people, everybody] : [...people]
}

const nobody: readonly string[] = []

/** As SQL: everybody, or somebody who is a member. Of whom it does not hold, no row is written. */
export const isMentioned = (user: string, conversation: string) =>
  `(${user} = '${everybody}' OR EXISTS (
     SELECT FROM members m WHERE m.conversation_id = ${conversation} AND m.user_id = ${user}))`
