/** What verbs about accounts and sign-ins need: passwords, and who is admitted. They know nothing of conversations. */
import type { RegistrationMode } from '@flotilla/protocol'
import type { NoticesContext, NoticesSettings } from '../notices/context.ts'
import { createPasswords, type Passwords } from './passwords/passwords.ts'
import { type Admissions, createAdmissions } from './sessions/admissions.ts'

export interface AccountsSettings extends NoticesSettings {
  /** Password hashes under way at once. One takes a core for some 30 ms and 19 MiB. */
  readonly passwordHashesMax: number
  readonly passwordQueueMax: number
  /** A session that is not refreshed for so long ends. */
  readonly sessionIdleMs: number
  /** A session ends after so long, however often it is refreshed. */
  readonly sessionLifeMs: number
  /** Sign-ins of one person; the longest unseen ends. */
  readonly sessionsMax: number
  /** For so long after a sign-in or a reauthentication, none is required. */
  readonly reauthenticationLifeMs: number
  /** How long an authorization at a sign-in provider may take. */
  readonly authorizationLifeMs: number
  /** How long the application has to take over what an authorization has brought. */
  readonly grantLifeMs: number
  /** A code by mail is good for so long after it was sent. */
  readonly codeLifeMs: number
  /** Guesses at the code of one request, however often it is sent. */
  readonly codeTriesMax: number
  /** How often the code of one request is sent. */
  readonly codeSendsMax: number
  /** The pause before the code is sent a second time. It doubles with each sending. */
  readonly codeResendMs: number
  /** Requests for the same that one address has open; the oldest goes. */
  readonly codesOpenMax: number
  /** Who may make an account. Whoever shows a good invitation may, unless nobody may. */
  readonly registration: RegistrationMode
  /** Those whose verified address is in one of these domains may register, where the mode is `domain`. In A-labels. */
  readonly registrationDomains: readonly string[]
  /** Whether everybody may invite, or operators only. */
  readonly invitationsFrom: 'people' | 'operators'
  /** Valid invitations that one person may have. */
  readonly invitationsMax: number
  /** How often one of theirs may be used. */
  readonly invitationUsesMax: number
  /** How long an invitation is good that says nothing else. */
  readonly invitationLifeMs: number
  /** Nobody else gets a username for so long after it was given up, or its owner was erased. */
  readonly nameHeldMs: number
  /** Between asking for the end of an account and its erasure: so long it can be taken back. */
  readonly deletionGraceMs: number
}

const dayMs = 86_400_000

export const accountsDefaults = {
  passwordHashesMax: 2,
  passwordQueueMax: 200,
  sessionIdleMs: 30 * dayMs,
  sessionLifeMs: 180 * dayMs,
  sessionsMax: 50,
  reauthenticationLifeMs: 10 * 60_000,
  authorizationLifeMs: 10 * 60_000,
  grantLifeMs: 60_000,
  codeLifeMs: 10 * 60_000,
  codeTriesMax: 5,
  codeSendsMax: 5,
  codeResendMs: 30_000,
  codesOpenMax: 3,
  registration: 'open',
  registrationDomains: [],
  invitationsFrom: 'operators',
  invitationsMax: 10,
  invitationUsesMax: 10,
  invitationLifeMs: 14 * dayMs,
  nameHeldMs: 90 * dayMs,
  deletionGraceMs: 30 * dayMs,
} satisfies Partial<AccountsSettings>

export interface AccountsContext extends NoticesContext {
  readonly settings: AccountsSettings
  readonly passwords: Passwords
  readonly admissions: Admissions
}

/** What accounts add to the context of notices. */
export function openAccounts({ pool, settings }: NoticesContext & { readonly settings: AccountsSettings }) {
  return { passwords: createPasswords(settings), admissions: createAdmissions({ pool }) }
}
