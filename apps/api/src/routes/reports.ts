/** Telling the operators about a person, or about a message of theirs. */
import { reports } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { Seq, Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ReportReason, saying, textOf } from '../shapes.ts'

const closed = { additionalProperties: false }
const Filed = Type.Object({ id: Uuid }, closed)

export function reportRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  app.post(
    '/reports',
    {
      preParsing: deps.authenticate,
      schema: {
        operationId: 'report',
        summary: 'Report a person or a message',
        description:
          'With `conversation` and `seq`, it is that message, of which the operators get a copy. The person is not told. Reporting the same thing again answers with the report that is open.',
        tags: ['contacts'],
        security: [{ accessToken: [] }],
        body: saying(
          { dependentRequired: { conversation: ['seq'], seq: ['conversation'] } },
          Type.Object(
            {
              user: Uuid,
              reason: ReportReason,
              comment: Type.Optional(textOf(limits.reportCommentLengthMax)),
              conversation: Type.Optional(Uuid),
              seq: Type.Optional(Seq),
            },
            closed,
          ),
        ),
        response: {
          200: answered('It was reported, and the report is open.', Filed),
          201: answered('It is reported.', Filed),
          ...refusals(
            ...bodyCodes,
            'unauthenticated',
            'user_unknown',
            'conversation_unknown',
            'not_a_member',
            'message_unknown',
          ),
        },
      },
    },
    async (request, reply) => {
      const { body, caller } = request
      await take(deps.counter, `report:${caller.user}`, deps.settings.reports)
      const { id, created } = await reports.file(chat, caller.user, body)
      return reply.code(created ? 201 : 200).send({ id })
    },
  )
}
