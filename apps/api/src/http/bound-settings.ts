/** The settings of whom people let in, and of how much each may have: of the API, and of standalone. */
import { type ChatSettings, chatDefaults } from '@flotilla/chat'
import { type DirectFrom, directFroms } from '@flotilla/protocol'
import { limits } from '@flotilla/protocol'
import { choice, integer, type Setting, type Values } from '@flotilla/service'

const dayMs = 86_400_000
const cap = (key: keyof typeof chatDefaults & `${string}Max`, max: number, description: string) =>
  integer(chatDefaults[key], { min: 1, max }, description)

const directFromAllowed: Setting<readonly DirectFrom[]> = {
  type: `comma-separated list of ${directFroms.join(', ')}`,
  description:
    'What people may choose instead of DIRECT_FROM. Whoever has chosen anything else before has DIRECT_FROM. None of them is `none`.',
  default: directFroms,
  required: false,
  secret: false,
  parse(text) {
    if (text === 'none') return []
    const names = text.split(',').map(name => name.trim())
    const unknown = names.find(name => !directFroms.includes(name as DirectFrom))
    if (unknown !== undefined) throw new Error(`must be none, or some of ${directFroms.join(', ')}`)
    return names as DirectFrom[]
  },
}

export const boundSettings = {
  DIRECT_FROM: choice(
    directFroms,
    chatDefaults.directFrom,
    'Who puts people into conversations, direct or group, without asking them first, where they have not said so themselves: anyone; those whom they know (contacts, and whom they have a direct conversation with), while the others ask; nobody, so that all ask (`request`); or contacts, while the others may not even ask.',
  ),
  DIRECT_FROM_ALLOWED: directFromAllowed,
  // More would be more than one answer holds.
  REQUEST_MESSAGES_MAX: cap(
    'requestMessagesMax',
    7,
    'Messages that somebody may send into a direct conversation before the other has accepted it. Equal for all processes.',
  ),
  REQUEST_PAUSE_MS: integer(
    chatDefaults.requestPauseMs,
    { min: 0, max: 365 * dayMs },
    'For so long nobody asks somebody again into a group that they have declined.',
  ),
  REQUESTS_SENT_MAX: cap(
    'conversationRequestsSentMax',
    10_000,
    'People whom one person asks into conversations at one time, until they have answered.',
  ),
  REQUESTS_RECEIVED_MAX: cap(
    'conversationRequestsReceivedMax',
    10_000,
    'Conversations into which one person is asked at one time; nobody can ask them into more until they answer some.',
  ),
  CONVERSATIONS_MAX: cap('conversationsMax', 100_000, 'Conversations that one person may be in.'),
  GROUP_MEMBERS_MAX: cap('groupMembersMax', limits.groupMembersMax, 'Members of one group.'),
  CONTACTS_MAX: cap('contactsMax', 100_000, 'Contacts that one person may have.'),
  CONTACT_REQUESTS_SENT_MAX: cap('contactRequestsSentMax', 10_000, 'Contact requests of one person that are open.'),
  CONTACT_REQUESTS_RECEIVED_MAX: cap(
    'contactRequestsReceivedMax',
    10_000,
    'Contact requests to one person that are open.',
  ),
  BLOCKS_MAX: cap('blocksMax', 100_000, 'People whom one person may have blocked.'),
  DEVICES_MAX: cap('devicesMax', 100, 'Push devices of one person; beyond it the longest unseen goes.'),
  SESSIONS_MAX: cap('sessionsMax', 100, 'Sign-ins of one person; beyond it the longest unseen ends.'),
}

/** As the domain wants them. */
export function toBounds(values: Values<typeof boundSettings>): Partial<ChatSettings> {
  return {
    directFrom: values.DIRECT_FROM,
    directFromAllowed: values.DIRECT_FROM_ALLOWED,
    requestMessagesMax: values.REQUEST_MESSAGES_MAX,
    requestPauseMs: values.REQUEST_PAUSE_MS,
    conversationRequestsSentMax: values.REQUESTS_SENT_MAX,
    conversationRequestsReceivedMax: values.REQUESTS_RECEIVED_MAX,
    conversationsMax: values.CONVERSATIONS_MAX,
    groupMembersMax: values.GROUP_MEMBERS_MAX,
    contactsMax: values.CONTACTS_MAX,
    contactRequestsSentMax: values.CONTACT_REQUESTS_SENT_MAX,
    contactRequestsReceivedMax: values.CONTACT_REQUESTS_RECEIVED_MAX,
    blocksMax: values.BLOCKS_MAX,
    devicesMax: values.DEVICES_MAX,
    sessionsMax: values.SESSIONS_MAX,
  }
}
