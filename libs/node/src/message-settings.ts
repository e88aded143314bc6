/** The settings of every process that takes messages, or posts them for somebody: what is refused, kept and told of them. */
import { type ChatSettings, chatDefaults, parseEmojis } from '@flotilla/chat'
import { flag, integer, list, type Values } from '@flotilla/service'

/** A hundred years: more than anybody asks for, and still a whole number of PostgreSQL. */
const windowMsMax = 3_155_760_000_000
const windowOf = (what: string) =>
  integer(
    -1,
    { min: -1, max: windowMsMax },
    `For how long senders can ${what}, in milliseconds from its posting; 0 is never, -1 without end. Use the same value in all processes.`,
  )

export const messageSettings = {
  INTEREST_ROUTING_MIN: integer(
    chatDefaults.interestRoutingMin,
    { min: 2, max: 100_000 },
    'A group that grows past this many members is routed by interest from then on: its messages go to the gateways that hold a member, which know who of them is connected. Use the same value in all processes.',
  ),
  LARGE_CONVERSATION_MIN: integer(
    chatDefaults.largeConversationMin,
    { min: 2, max: 100_000 },
    'A group of more members is large: it is routed by interest, reactions and votes are told as totals, and pushes tell of mentions and of replies in followed threads only. Use the same value in all processes.',
  ),
  // More would be more than one answer holds.
  REQUEST_MESSAGES_MAX: integer(
    chatDefaults.requestMessagesMax,
    { min: 1, max: 7 },
    'Messages that may be sent to a direct conversation before the other person has accepted it. Use the same value in all processes.',
  ),
  MENTION_ALL_FREE_MAX: integer(
    chatDefaults.mentionAllFreeMax,
    { min: 0, max: chatDefaults.groupMembersMax },
    'Members of a group up to which anybody may mention everybody; in a larger one only owners and admins may. Use the same value in all processes.',
  ),
  EDIT_WINDOW_MS: windowOf('edit a message'),
  DELETE_WINDOW_MS: windowOf('delete a message for everybody (owners and admins of a group always can)'),
  EDIT_HISTORY: flag(
    chatDefaults.editHistory,
    'Whether members can read what messages said before they were edited. It is kept from then on, sealed; without it what an edit replaces is erased. Use the same value in all processes.',
  ),
  REACTION_EMOJIS: {
    ...list(
      chatDefaults.reactionEmojis,
      'The emoji that people may react with, such as `👍,❤️,🎉`. Empty: any emoji. Use the same value in all processes.',
    ),
    parse: parseEmojis,
  },
  REACTIONS_GATHER_MS: integer(
    chatDefaults.reactionsGatherMs,
    { min: 100, max: 60_000 },
    'How often at most the members of a large conversation are told of new reactions. Use the same value in all processes.',
  ),
  RECEIPTS_GATHER_MS: integer(
    chatDefaults.receiptsGatherMs,
    { min: 1_000, max: 600_000 },
    'How often at most senders in a conversation of more than 100 members are told how many have received and read their last message; in one of more than 25,000, less often. Use the same value in all processes.',
  ),
}

const toWindow = (ms: number) => (ms < 0 ? Number.POSITIVE_INFINITY : ms)

/** As the domain names them. */
export const toMessageSettings = (values: Values<typeof messageSettings>) =>
  ({
    interestRoutingMin: values.INTEREST_ROUTING_MIN,
    largeConversationMin: values.LARGE_CONVERSATION_MIN,
    requestMessagesMax: values.REQUEST_MESSAGES_MAX,
    mentionAllFreeMax: values.MENTION_ALL_FREE_MAX,
    editWindowMs: toWindow(values.EDIT_WINDOW_MS),
    deleteWindowMs: toWindow(values.DELETE_WINDOW_MS),
    editHistory: values.EDIT_HISTORY,
    reactionEmojis: values.REACTION_EMOJIS,
    reactionsGatherMs: values.REACTIONS_GATHER_MS,
    receiptsGatherMs: values.RECEIPTS_GATHER_MS,
  }) satisfies Partial<ChatSettings>
