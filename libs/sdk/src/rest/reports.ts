/** Telling the operators about a person, or about a message of theirs. */
import type { Report } from '@flotilla/protocol'
import type { Ask } from './ask.ts'

export const createReports = (ask: Ask) => ({
  /**
   * With `conversation` and `seq` it is that message, of which the operators get a copy. The person is not told. The same
   * again answers with the report that is open.
   * @throws FlotillaError user_unknown, message_unknown, not_a_member, rate_limited
   */
  file: (report: Report) => ask('POST /v1/reports', { body: report }),
})
