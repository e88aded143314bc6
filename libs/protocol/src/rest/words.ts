/** Enumerations and limits that REST and the domain share. */

/** Who can see something. */
export const audiences = ['everyone', 'contacts', 'nobody'] as const
export type Audience = (typeof audiences)[number]

/**
 * Who can add a user to a conversation, direct or group, without asking first: anyone; those they know, while others ask;
 * nobody, so that everyone asks; or contacts only, while others cannot even ask.
 */
export const directFroms = ['anyone', 'contacts', 'known', 'request'] as const
export type DirectFrom = (typeof directFroms)[number]

/** Which messages of a conversation notify its member: all, those that mention them, or none. */
export const notifies = ['all', 'mentions', 'nothing'] as const
export type NotifyRule = (typeof notifies)[number]

/** Who may register. */
export const registrationModes = ['open', 'domain', 'invitation', 'closed'] as const
export type RegistrationMode = (typeof registrationModes)[number]

/** What registering requires beside a name. */
export const registrationChecks = ['none', 'work', 'captcha'] as const
export type RegistrationCheck = (typeof registrationChecks)[number]

/** What can finish a sign-in after the first factor. */
export const factors = ['totp', 'recovery_code', 'email_code', 'passkey', 'password'] as const
export type Factor = (typeof factors)[number]

export const reportReasons = ['spam', 'harassment', 'violence', 'sexual', 'illegal', 'impersonation', 'other'] as const
export type ReportReason = (typeof reportReasons)[number]

export const reportDecisions = ['dismissed', 'upheld'] as const
export type ReportDecision = (typeof reportDecisions)[number]

/** What operators do to accounts and messages. */
export const operatorActions = [
  'suspended',
  'banned',
  'suspension_lifted',
  'signed_out',
  'message_removed',
  'report_decided',
] as const
export type OperatorAction = (typeof operatorActions)[number]

/** The end of the year 9999: what is muted until then stays so. */
export const mutedForEver = 253_402_300_799_999
/** What operators may make: they invite schools and companies. */
export const operatorInvitationUsesMax = 10_000
export const invitationLifeMsMax = 365 * 86_400_000
/** An invite link of a group: how many may come by it, and how long it is good. */
export const inviteLinkUsesMax = 100_000
export const inviteLinkLifeMsMax = 365 * 86_400_000
export const passkeysMax = 20
