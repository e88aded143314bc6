/**
 * The REST API, written once: a file a feature in rest/. A new route is an entry in the file of its feature; a new feature is
 * a line here.
 */
import { account } from './rest/account.ts'
import { avatars, avatarFiles, groupAvatars } from './rest/avatars.ts'
import { blocks } from './rest/blocks.ts'
import { codes } from './rest/codes.ts'
import { connect } from './rest/connect.ts'
import { contacts } from './rest/contacts.ts'
import { conversationRequests } from './rest/conversation-requests.ts'
import { conversations } from './rest/conversations.ts'
import { deletion } from './rest/deletion.ts'
import { devices } from './rest/devices.ts'
import { drafts } from './rest/drafts.ts'
import { dataExport } from './rest/export.ts'
import { factors } from './rest/factors.ts'
import { groups } from './rest/groups.ts'
import { health } from './rest/health.ts'
import { hiddenMessages } from './rest/hidden-messages.ts'
import { identities } from './rest/identities.ts'
import { invitations, operatorInvitations } from './rest/invitations.ts'
import { inviteLinks, joinRequests } from './rest/invite-links.ts'
import { keys } from './rest/keys.ts'
import { members } from './rest/members.ts'
import { messageChanges } from './rest/message-changes.ts'
import { messages } from './rest/messages.ts'
import { notifications } from './rest/notifications.ts'
import { operatorActions } from './rest/operator-actions.ts'
import { operatorCounts } from './rest/operator-counts.ts'
import { operatorPush } from './rest/operator-push.ts'
import { operatorReports } from './rest/operator-reports.ts'
import { ownSessions } from './rest/own-sessions.ts'
import { passkeySignIn, passkeys } from './rest/passkeys.ts'
import { polls } from './rest/polls.ts'
import { profile } from './rest/profile.ts'
import { providers } from './rest/providers.ts'
import { receipts } from './rest/receipts.ts'
import { registration } from './rest/registration.ts'
import { reminders } from './rest/reminders.ts'
import { reports } from './rest/reports.ts'
import { scheduled } from './rest/scheduled.ts'
import { search } from './rest/search.ts'
import { reauthentication, secondFactor } from './rest/second-factor.ts'
import { security } from './rest/security.ts'
import { sessions } from './rest/sessions.ts'
import { threads } from './rest/threads.ts'
import { users } from './rest/users.ts'
import type { AnswerOf, InputOf, Needs } from './rest/route.ts'

/** The routes, by feature and name. */
export const rest = {
  registration,
  users,
  invitations,
  operatorInvitations,
  profile,
  avatars,
  groupAvatars,
  avatarFiles,
  search,
  codes,
  account,
  sessions,
  secondFactor,
  reauthentication,
  passkeySignIn,
  passkeys,
  factors,
  ownSessions,
  security,
  deletion,
  dataExport,
  providers,
  identities,
  contacts,
  conversationRequests,
  blocks,
  reports,
  operatorActions,
  operatorCounts,
  operatorPush,
  operatorReports,
  connect,
  conversations,
  members,
  groups,
  inviteLinks,
  joinRequests,
  messages,
  messageChanges,
  hiddenMessages,
  scheduled,
  reminders,
  threads,
  polls,
  receipts,
  drafts,
  devices,
  notifications,
  keys,
  health,
} as const

/** The routes by feature. */
export type Rest = typeof rest

/** The routes by method and path: `Routes['GET /v1/me']`. */
export type Routes = Flat<{ [F in keyof Rest]: ByUrl<Rest[F]> }[keyof Rest]>
type ByUrl<F> = { [Id in keyof F as F[Id] extends { readonly at: infer At extends string } ? At : never]: F[Id] }
type Flat<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer All) => void ? All : never

/** The methods and paths of the routes that take whoever fulfils `N`. */
export type RestUrl<N extends Needs = Needs> = {
  [At in keyof Routes]: Routes[At] extends { readonly needs: N } ? At : never
}[keyof Routes]
/** What a call brings along: the parameters of its path by their names, and `query` and `body`. */
export type RestInput<At extends keyof Routes> = InputOf<Routes[At]>
/** What it is answered, whatever the status. */
export type RestAnswer<At extends keyof Routes> = AnswerOf<Routes[At]>
