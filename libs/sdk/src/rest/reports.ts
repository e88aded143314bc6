/** Reports of users and messages to the operators. */
import type { Report } from '@flotilla/protocol'
import type { Ask } from './ask.ts'

export const createReports = (ask: Ask) => ({
  /**
   * With `conversation` and `seq`, reports that message; the operators receive a copy. The user is not told. Reporting
   * the same thing again returns the open report.
   * @throws FlotillaError user_unknown, message_unknown, not_a_member, rate_limited
   */
  file: (report: Report) => ask('POST /v1/reports', { body: report }),
})
