/** What tells a person of a conversation. */
import { kindNumbersOfConversations, notifyNumbers } from '../../access.ts'

/**
 * As SQL: its number in this moment, for a member `m` of a conversation `c` whose person is `u`. Whatever is said in private is
 * said to them.
 */
export const notifyText = `CASE
  WHEN m.muted_until > now() THEN ${notifyNumbers.nothing}
  WHEN coalesce(m.notify, u.notify) = ${notifyNumbers.all} THEN ${notifyNumbers.all}
  WHEN coalesce(m.notify, u.notify) <> ${notifyNumbers.mentions} THEN ${notifyNumbers.nothing}
  WHEN c.kind = ${kindNumbersOfConversations.direct} THEN ${notifyNumbers.all}
  ELSE ${notifyNumbers.mentions} END`
