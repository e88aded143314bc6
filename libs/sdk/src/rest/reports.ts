/** Telling the operators about a person, or about a message of theirs. */
import type { Signed } from './signed.ts'

export type ReportReason = 'spam' | 'harassment' | 'violence' | 'sexual' | 'illegal' | 'impersonation' | 'other'

export interface Report {
  readonly user: string
  readonly reason: ReportReason
  /** 1000 characters at the most. */
  readonly comment?: string
  /** With `seq`: that message of the person, of which the operators get a copy. */
  readonly conversation?: string
  readonly seq?: number
}

export function createReports(signed: Signed) {
  return {
    /**
     * The person is not told. The same again answers with the report that is open.
     * @throws FlotillaError user_unknown, message_unknown, not_a_member, rate_limited
     */
    file: (report: Report) => signed<{ id: string }>('POST', '/v1/reports', { body: report }),
  }
}
