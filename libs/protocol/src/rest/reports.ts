/** Reports of users and messages to the operators. */
import { Type } from 'typebox'
import { Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, closed, ofMessage, oneOf, saying, textOf } from './fields.ts'
import { routes } from './route.ts'
import { reportReasons } from './words.ts'

const Filed = Type.Object({ id: Uuid }, closed)

export const Report = saying(
  { dependentRequired: { conversation: ['seq'], seq: ['conversation'] } },
  Type.Object(
    {
      user: Uuid,
      reason: oneOf(reportReasons),
      comment: Type.Optional(textOf(limits.reportCommentLengthMax)),
      conversation: Type.Optional(Uuid),
      seq: Type.Optional(Seq),
    },
    closed,
  ),
)
export type Report = Type.Static<typeof Report>

export const reports = routes('contacts', 'session', {
  report: {
    at: 'POST /v1/reports',
    summary: 'Report a user or a message',
    description:
      'With `conversation` and `seq`, reports that message; the operators receive a copy. The reported user is not told. Reporting the same thing again returns the open report.',
    body: Report,
    answers: {
      200: answered('The report that is already open.', Filed),
      201: answered('The new report.', Filed),
    },
    refusals: ['user_unknown', ...ofMessage],
  },
})
