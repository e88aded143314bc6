/** The queue of reports, for operators. */
import { Type } from 'typebox'
import { At, Body, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, ById, closed, done, listOf, named, oneOf, PageCursor, pageLimit, textOf, User } from './fields.ts'
import { routes } from './route.ts'
import { reportDecisions, reportReasons } from './words.ts'

const Report = named(
  'Report',
  Type.Object(
    {
      id: Uuid,
      at: At,
      reporter: Type.Optional(User),
      user: User,
      reason: oneOf(reportReasons),
      comment: Type.String(),
      message: Type.Optional(
        Type.Object(
          { conversation: Uuid, seq: Seq, at: At, body: Body },
          { ...closed, description: 'As it was when it was reported.' },
        ),
      ),
    },
    closed,
  ),
)
const ReportPage = Type.Object({ reports: listOf(Report), next: Type.Optional(PageCursor) }, closed)

export const operatorReports = routes('operators', 'operator', {
  listReports: {
    at: 'GET /v1/operator/reports',
    summary: 'List the open reports',
    description: 'The oldest first.',
    query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of reports.', ReportPage) },
  },
  decideReport: {
    at: 'POST /v1/operator/reports/{id}/decision',
    summary: 'Decide a report',
    description: 'The report leaves the queue. What follows from it is up to the operators.',
    params: ById,
    body: Type.Object(
      { decision: oneOf(reportDecisions), note: Type.Optional(textOf(limits.reportCommentLengthMax)) },
      closed,
    ),
    answers: done('It is decided.'),
    refusals: ['report_unknown'],
  },
})
