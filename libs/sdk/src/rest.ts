/**
 * The REST API: a name for each URL, by feature, typed by the routes of libs/protocol. What every chat needs is here at the
 * top; the rest by feature.
 */
import type { Call } from './http.ts'
import { createAccount } from './rest/account.ts'
import { type Ask, type GetToken, signedCall } from './rest/ask.ts'
import { createBlocks } from './rest/blocks.ts'
import { createContacts } from './rest/contacts.ts'
import { createConversationRequests } from './rest/conversation-requests.ts'
import { createConversations } from './rest/conversations.ts'
import { createDevices } from './rest/devices.ts'
import { createDrafts } from './rest/drafts.ts'
import { createFactors } from './rest/factors.ts'
import { createGroups } from './rest/groups.ts'
import { createIdentities } from './rest/identities.ts'
import { createInvitations } from './rest/invitations.ts'
import { createMessages } from './rest/messages.ts'
import { createNotifications } from './rest/notifications.ts'
import { createPasskeys } from './rest/passkeys.ts'
import { createPeople } from './rest/people.ts'
import { createPolls } from './rest/polls.ts'
import { createProfile } from './rest/profile.ts'
import { createReminders } from './rest/reminders.ts'
import { createReports } from './rest/reports.ts'
import { createScheduled } from './rest/scheduled.ts'
import { createSessions } from './rest/sessions.ts'
import { createThreads } from './rest/threads.ts'

export type Rest = ReturnType<typeof createRest>

export function createRest(call: Call, getToken: GetToken) {
  const signed = signedCall(call, getToken)
  const ask = signed as Ask
  return {
    /** Oneself. */
    me: () => ask('GET /v1/me'),
    /** A person by id. @throws FlotillaError user_unknown */
    user: (id: string) => ask('GET /v1/users/{id}', { id }),
    /** A person by the whole username. @throws FlotillaError user_unknown */
    userByName: (username: string) => ask('GET /v1/users', { query: { username } }),
    /** Where to connect. The client asks by itself. */
    connect: () => ask('GET /v1/connect'),
    ...createConversations(ask),

    account: createAccount(ask),
    blocks: createBlocks(ask),
    contacts: createContacts(ask),
    conversationRequests: createConversationRequests(ask),
    devices: createDevices(ask),
    drafts: createDrafts(ask),
    factors: createFactors(ask),
    groups: createGroups(ask),
    identities: createIdentities(ask),
    invitations: createInvitations(ask),
    messages: createMessages(ask),
    notifications: createNotifications(ask),
    passkeys: createPasskeys(ask),
    people: createPeople(ask),
    polls: createPolls(ask),
    profile: createProfile(ask, signed, call),
    reminders: createReminders(ask),
    reports: createReports(ask),
    scheduled: createScheduled(ask),
    sessions: createSessions(ask),
    threads: createThreads(ask),
  }
}
