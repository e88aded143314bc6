/** Telling the operators about a person, or about a message of theirs. */
import { Type } from 'typebox'
import { Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, closed, oneOf, saying, textOf } from './fields.ts'
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
    summary: 'Report a person or a message',
    description:
      'With `conversation` and `seq`, it is that message, of which the operators get a copy. The person is not told. Reporting the same thing again answers with the report that is open.',
    body: Report,
    answers: {
      200: answered('It was reported, and the report is open.', Filed),
      201: answered('It is reported.', Filed),
    },
    refusals: ['user_unknown', 'conversation_unknown', 'not_a_member', 'message_unknown'],
  },
})
