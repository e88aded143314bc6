/** The queue of reports, for operators. */
import { reports } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { operatorRefusals } from '../operators.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, PageCursor, pageLimit, ReportPage, textOf } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 50
const pageMax = 100

export function operatorReportRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticateOperator: preParsing } = deps
  const shared = { tags: ['operators'], security: [{ accessToken: [] }] }

  app.get(
    '/operator/reports',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listReports',
        summary: 'List the open reports',
        description: 'The oldest first.',
        querystring: Type.Object({ limit: pageLimit(pageDefault, pageMax), after: Type.Optional(PageCursor) }, closed),
        response: { 200: answered('A page of reports.', ReportPage), ...refusals(...operatorRefusals) },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      return reports.list(chat, { limit, after })
    },
  )

  app.post(
    '/operator/reports/:id/decision',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'decideReport',
        summary: 'Decide a report',
        description: 'The report leaves the queue. What follows from it is up to the operators.',
        params: ById,
        body: Type.Object(
          {
            decision: Type.Unsafe<reports.ReportDecision>(
              Type.Union(reports.reportDecisions.map(one => Type.Literal(one))),
            ),
            note: Type.Optional(textOf(limits.reportCommentLengthMax)),
          },
          closed,
        ),
        response: {
          204: Type.Null({ description: 'It is decided.' }),
          ...refusals(...bodyCodes, ...operatorRefusals, 'report_unknown'),
        },
      },
    },
    async (request, reply) => {
      await reports.decide(chat, request.caller.user, { report: request.params.id, ...request.body })
      return reply.code(204).send(null)
    },
  )
}
