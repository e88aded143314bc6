/** What became of pushes and jobs, for operators: the trace of each, and the lists of those that were given up. */
import { jobs, push } from '@flotilla/chat'
import { At, Seq, Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { operatorRefusals } from '../operators.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, named, PageCursor, pageLimit } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 50
const pageMax = 100

const oneOf = <T extends string>(...options: readonly T[]) =>
  Type.Unsafe<T>(Type.Union(options.map(one => Type.Literal(one))))

const State = oneOf('waiting', 'sent', 'gone', 'dead', 'superseded', 'skipped')

const TracedPush = named(
  'TracedPush',
  Type.Object(
    {
      id: Uuid,
      user: Uuid,
      conversation: Uuid,
      device: Uuid,
      provider: oneOf('fcm', 'webpush'),
      fromSeq: Seq,
      uptoSeq: Seq,
      messageAt: At,
      createdAt: At,
      state: State,
      attempts: Type.Immutable(
        Type.Array(
          Type.Object(
            {
              at: At,
              answer: Type.String({
                description:
                  '`sent`, `gone`, `refused`, `later`, `unclear` (nobody knows whether it was taken), `unanswered` (its worker died), `skipped`, `dead`, `retried` or `superseded`.',
              }),
              status: Type.Optional(Type.Integer()),
              reason: Type.Optional(Type.String()),
              id: Type.Optional(Type.String({ description: 'The name that the push service gave it.' })),
              retryMs: Type.Optional(Type.Number({ description: 'When the service wants to be asked again.' })),
            },
            closed,
          ),
        ),
      ),
      dueAt: Type.Optional(At),
      finishedAt: Type.Optional(At),
    },
    { ...closed, description: 'A push to one device, from its messages to the answer. Never what was written.' },
  ),
)

const PushPage = Type.Object(
  { pushes: Type.Immutable(Type.Array(TracedPush)), next: Type.Optional(PageCursor) },
  closed,
)

const DeadJobPage = Type.Object(
  {
    jobs: Type.Immutable(
      Type.Array(
        named(
          'DeadJob',
          Type.Object(
            {
              id: Uuid,
              kind: oneOf('mail', 'delete-files', 'nothing'),
              createdAt: At,
              diedAt: At,
              attempts: Type.Integer({ minimum: 0 }),
              error: Type.String(),
            },
            closed,
          ),
        ),
      ),
    ),
    next: Type.Optional(PageCursor),
  },
  closed,
)

const page = { limit: pageLimit(pageDefault, pageMax), after: Type.Optional(PageCursor) }

export function operatorPushRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticateOperator: preParsing } = deps
  const shared = { tags: ['operators'], security: [{ accessToken: [] }] }
  const again = { 204: Type.Null({ description: 'It will be tried again.' }) }

  app.get(
    '/operator/pushes',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listPushes',
        summary: 'List pushes and what became of them',
        description: 'The latest first. Kept for a week.',
        querystring: Type.Object(
          {
            ...page,
            user: Type.Optional(Uuid),
            conversation: Type.Optional(Uuid),
            state: Type.Optional(State),
          },
          closed,
        ),
        response: { 200: answered('A page of pushes.', PushPage), ...refusals(...operatorRefusals) },
      },
    },
    async request => {
      const { limit = pageDefault, after, ...filter } = request.query
      return push.list(chat, filter, { limit, after })
    },
  )

  app.get(
    '/operator/dead-pushes',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listDeadPushes',
        summary: 'List the pushes that were given up',
        description: 'The latest first.',
        querystring: Type.Object(page, closed),
        response: { 200: answered('A page of pushes.', PushPage), ...refusals(...operatorRefusals) },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      return push.listDead(chat, { limit, after })
    },
  )

  app.post(
    '/operator/dead-pushes/:id/retry',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'retryPush',
        summary: 'Retry a push that was given up',
        description:
          'What has been read meanwhile is still not sent, nor is anything sent twice within the collapse window.',
        params: ById,
        response: { ...again, ...refusals(...bodyCodes, ...operatorRefusals, 'push_unknown') },
      },
    },
    async (request, reply) => {
      await push.retry(chat, request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/operator/dead-jobs',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listDeadJobs',
        summary: 'List the jobs that were given up',
        description:
          'Mail that could not be sent, and the like; the latest first. What they hold stays sealed. Kept for 30 days.',
        querystring: Type.Object(page, closed),
        response: { 200: answered('A page of jobs.', DeadJobPage), ...refusals(...operatorRefusals) },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      return jobs.listDead(chat, { limit, after })
    },
  )

  app.post(
    '/operator/dead-jobs/:id/retry',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'retryJob',
        summary: 'Retry a job that was given up',
        description: 'It starts over, with all its attempts.',
        params: ById,
        response: { ...again, ...refusals(...bodyCodes, ...operatorRefusals, 'job_unknown') },
      },
    },
    async (request, reply) => {
      await jobs.retry(chat, request.params.id)
      return reply.code(204).send(null)
    },
  )
}
