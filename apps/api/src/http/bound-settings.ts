/** The settings of whom people let in, and of how much each may have: of the API, and of standalone. */
import { type ChatSettings, chatDefaults } from '@flotilla/chat'
import { messageSettings, toMessageSettings } from '@flotilla/node'
import { type DirectFrom, directFroms, limits } from '@flotilla/protocol'
import { choice, integer, type Setting, type Values } from '@flotilla/service'

const dayMs = 86_400_000
const cap = (key: keyof typeof chatDefaults & `${string}Max`, max: number, description: string) =>
  integer(chatDefaults[key], { min: 1, max }, description)

const directFromAllowed: Setting<readonly DirectFrom[]> = {
  type: `comma-separated list of ${directFroms.join(', ')}`,
  description:
    'What people may choose instead of DIRECT_FROM. An earlier choice that is no longer allowed falls back to DIRECT_FROM. `none` allows no choice.',
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
    'Who may add people to conversations, direct or group, without asking first, unless they choose otherwise: anyone; those they know (contacts, and people they have a direct conversation with), while others ask; nobody, so that all ask (`request`); or contacts, while others may not even ask.',
  ),
  DIRECT_FROM_ALLOWED: directFromAllowed,
  REQUEST_PAUSE_MS: integer(
    chatDefaults.requestPauseMs,
    { min: 0, max: 365 * dayMs },
    'How long nobody may be asked again to join a group that they declined.',
  ),
  REQUESTS_SENT_MAX: cap(
    'conversationRequestsSentMax',
    10_000,
    'Open conversation requests that one person may have sent.',
  ),
  REQUESTS_RECEIVED_MAX: cap(
    'conversationRequestsReceivedMax',
    10_000,
    'Open conversation requests to one person; nobody can send them more until they answer some.',
  ),
  CONVERSATIONS_MAX: cap('conversationsMax', 100_000, 'Conversations that one person may be in.'),
  GROUP_MEMBERS_MAX: cap('groupMembersMax', limits.groupMembersMax, 'Members of one group.'),
  CONTACTS_MAX: cap('contactsMax', 100_000, 'Contacts that one person may have.'),
  CONTACT_REQUESTS_SENT_MAX: cap(
    'contactRequestsSentMax',
    10_000,
    'Open contact requests that one person may have sent.',
  ),
  CONTACT_REQUESTS_RECEIVED_MAX: cap('contactRequestsReceivedMax', 10_000, 'Open contact requests to one person.'),
  BLOCKS_MAX: cap('blocksMax', 100_000, 'People that one person may have blocked.'),
  DEVICES_MAX: cap('devicesMax', 100, 'Push devices of one person; one more removes the longest unseen.'),
  SESSIONS_MAX: cap('sessionsMax', 100, 'Sessions of one person; one more ends the longest unseen.'),
  ...messageSettings,
}

/** As the domain wants them. */
export function toBounds(values: Values<typeof boundSettings>): Partial<ChatSettings> {
  return {
    ...toMessageSettings(values),
    directFrom: values.DIRECT_FROM,
    directFromAllowed: values.DIRECT_FROM_ALLOWED,
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
