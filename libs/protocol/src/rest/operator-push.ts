/** What became of pushes and jobs, for operators: the trace of each, and the lists of those that were given up. */
import { Type } from 'typebox'
import { At, Seq, Uuid } from '../fields.ts'
import { answered, ById, closed, done, listOf, named, oneOf, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const State = oneOf(['waiting', 'sent', 'gone', 'dead', 'superseded', 'skipped'])

const TracedPush = named(
  'TracedPush',
  Type.Object(
    {
      id: Uuid,
      user: Uuid,
      conversation: Uuid,
      device: Uuid,
      provider: oneOf(['fcm', 'webpush']),
      fromSeq: Seq,
      uptoSeq: Seq,
      messageAt: At,
      createdAt: At,
      state: State,
      attempts: listOf(
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
      dueAt: Type.Optional(At),
      finishedAt: Type.Optional(At),
    },
    { ...closed, description: 'A push to one device, from its messages to the answer. Never what was written.' },
  ),
)
const PushPage = Type.Object({ pushes: listOf(TracedPush), next: Type.Optional(PageCursor) }, closed)

const DeadJob = named(
  'DeadJob',
  Type.Object(
    {
      id: Uuid,
      kind: oneOf(['mail', 'delete-files', 'nothing']),
      createdAt: At,
      diedAt: At,
      attempts: Type.Integer({ minimum: 0 }),
      error: Type.String(),
    },
    closed,
  ),
)
const DeadJobPage = Type.Object({ jobs: listOf(DeadJob), next: Type.Optional(PageCursor) }, closed)

const page = { limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }

export const operatorPush = routes('operators', 'operator', {
  listPushes: {
    at: 'GET /v1/operator/pushes',
    summary: 'List pushes and what became of them',
    description: 'The latest first. Kept for a week.',
    query: Type.Object(
      {
        ...page,
        user: Type.Optional(Uuid),
        conversation: Type.Optional(Uuid),
        state: Type.Optional(State),
      },
      closed,
    ),
    answers: { 200: answered('A page of pushes.', PushPage) },
  },
  listDeadPushes: {
    at: 'GET /v1/operator/dead-pushes',
    summary: 'List the pushes that were given up',
    description: 'The latest first.',
    query: Type.Object(page, closed),
    answers: { 200: answered('A page of pushes.', PushPage) },
  },
  retryPush: {
    at: 'POST /v1/operator/dead-pushes/{id}/retry',
    summary: 'Retry a push that was given up',
    description:
      'What has been read meanwhile is still not sent, nor is anything sent twice within the collapse window.',
    params: ById,
    answers: done('It will be tried again.'),
    refusals: ['push_unknown'],
  },
  listDeadJobs: {
    at: 'GET /v1/operator/dead-jobs',
    summary: 'List the jobs that were given up',
    description:
      'Mail that could not be sent, and the like; the latest first. What they hold stays sealed. Kept for 30 days.',
    query: Type.Object(page, closed),
    answers: { 200: answered('A page of jobs.', DeadJobPage) },
  },
  retryJob: {
    at: 'POST /v1/operator/dead-jobs/{id}/retry',
    summary: 'Retry a job that was given up',
    description: 'It starts over, with all its attempts.',
    params: ById,
    answers: done('It will be tried again.'),
    refusals: ['job_unknown'],
  },
})
