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
          { ...closed, description: 'The message as it was when reported.' },
        ),
      ),
    },
    closed,
  ),
)
export type OpenReport = Type.Static<typeof Report>
const ReportPage = Type.Object({ reports: listOf(Report), next: Type.Optional(PageCursor) }, closed)

export const operatorReports = routes('operators', 'operator', {
  listReports: {
    at: 'GET /v1/operator/reports',
    summary: 'List open reports',
    description: 'Oldest first.',
    query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of reports.', ReportPage) },
  },
  resolveReport: {
    at: 'POST /v1/operator/reports/{id}/decision',
    summary: 'Resolve a report',
    description: 'Closes the report. It takes no action against the user by itself.',
    params: ById,
    body: Type.Object(
      { decision: oneOf(reportDecisions), note: Type.Optional(textOf(limits.reportCommentLengthMax)) },
      closed,
    ),
    answers: done('Resolved.'),
    refusals: ['report_unknown'],
  },
})
